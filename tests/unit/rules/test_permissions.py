"""Permissions as nats-server reads them."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.rules.permissions import UNLIMITED, Lists, Permissions, permissions_of

CREATE = "$JS.API.STREAM.CREATE.ORDERS"


@pytest.mark.parametrize(
    ("allow", "deny", "expected"),
    [
        pytest.param(None, (), True, id="no lists"),
        pytest.param((), (), False, id="nothing is allowed"),
        pytest.param((CREATE,), (), True, id="the subject itself"),
        pytest.param(("$JS.API.STREAM.CREATE.*",), (), True, id="one token"),
        pytest.param(("$JS.API.>",), (), True, id="the rest"),
        pytest.param(("*.API.*.CREATE.*",), (), True, id="tokens in the middle"),
        pytest.param((">",), (), True, id="everything"),
        pytest.param(("$JS.API.STREAM.CREATE",), (), False, id="a shorter subject"),
        pytest.param(("$JS.API.STREAM.CREATE.ORDERS.>",), (), False, id="below the subject"),
        pytest.param(("$JS.API.STREAM.*",), (), False, id="a star is one token"),
        pytest.param(("$JS.API.STREAM.CREATE.ORDER",), (), False, id="another name"),
        pytest.param(("$JS.API.>",), ("$JS.API.STREAM.CREATE.>",), False, id="deny inside allow"),
        pytest.param((CREATE,), ("$JS.>",), False, id="allow inside deny"),
        pytest.param((CREATE,), (CREATE,), False, id="both"),
        pytest.param(None, ("$JS.API.STREAM.DELETE.*",), True, id="another subject denied"),
        pytest.param(("$JS.API.>", "x"), ("$JS.API.STREAM.CREATE.P*",), True, id="a star inside a token is a letter"),
    ],
)
def test_publish(allow: tuple[str, ...] | None, deny: tuple[str, ...], *, expected: bool) -> None:
    """Whether one subject may be published to."""
    assert expected == Lists(allow, deny).permit(CREATE)


@pytest.mark.parametrize(
    ("allow", "deny", "expected"),
    [
        pytest.param(("_INBOX.>",), (), True, id="all inboxes"),
        pytest.param(("_INBOX.*.*",), (), True, id="stars for stars"),
        pytest.param(("_INBOX.a.*",), (), False, id="another's inbox"),
        pytest.param(("_INBOX.*",), (), False, id="too short"),
        pytest.param(("_INBOX.> workers",), (), False, id="allowed in a queue group only"),
        pytest.param(("_INBOX.> workers", "_INBOX.>"), (), True, id="both with and without a queue group"),
        pytest.param(None, ("_INBOX.> workers",), True, id="denied in a queue group only"),
        pytest.param(None, ("_INBOX.>",), False, id="denied"),
        pytest.param(None, ("_INBOX.x.5",), True, id="some of it is denied: the server takes the subscription"),
    ],
)
def test_subscribe(allow: tuple[str, ...] | None, deny: tuple[str, ...], *, expected: bool) -> None:
    """Whether a subscription with a wildcard is taken; this program is in no queue group."""
    assert expected == Lists(allow, deny).permit("_INBOX.x.*")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": {"user": "ann"}},
        {"data": {"permissions": None}},
        {"data": {"permissions": {"publish": 1, "subscribe": {"allow": "x"}}}},
        {"error": {"code": 500}},
    ],
)
def test_an_answer_that_says_nothing(answer: dict[str, Any]) -> None:
    """Everything is planned as if it were permitted; the server has the last word."""
    assert permissions_of(answer) == UNLIMITED


def test_an_answer() -> None:
    """The lists as nats-server sends them; what it leaves out is empty."""
    publish = {"allow": ["a.>"], "deny": ["a.b"]}
    answer = {"data": {"permissions": {"publish": publish, "subscribe": {"deny": ["c"]}, "responses": {"max": 1}}}}
    assert permissions_of(answer) == Permissions(Lists(("a.>",), ("a.b",)), Lists(None, ("c",)), responses=True)
