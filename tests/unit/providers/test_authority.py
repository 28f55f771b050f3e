"""When an authority's resource makes another certificate, as Pulumi's engine calls it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.certificates import succession
from provisioner.providers.authority import AuthorityProvider
from provisioner.reconcile.context import close_all, this_run

PROVIDER = AuthorityProvider()
WANTED = {"owner": "project/stack", "names": ["127.0.0.1"], "authority": 1.0, "certificate": 1.0}
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _run() -> Iterator[None]:
    """A run of its own."""
    close_all()
    yield
    close_all()


def made(days: int = 0) -> dict[str, Any]:
    """What the state has of one that was made so many days ago."""
    return succession.first(WANTED, NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("days", "status"),
    [
        (0, None),
        (334, None),
        (336, "the certificate ends on "),
        (400, "the certificate ends on "),  # a stack that nobody has brought up for long
        (3286, "the authority ends on "),
    ],
)
def test_what_ends_soon_is_a_difference(days: int, status: str | None) -> None:
    """The plan says it, with a refresh and without; and up makes another, which lasts."""
    olds = made(days)
    seen = PROVIDER.read("id", olds)
    assert seen.outs
    assert seen.inputs
    assert str(seen.outs.get("status")).startswith(str(status))
    assert seen.inputs.get("status") == seen.outs.get("status")
    for each in (olds, seen.outs):
        assert PROVIDER.diff("id", each, WANTED).changes == (status is not None)
    if status:
        after = PROVIDER.update("id", seen.outs, WANTED).outs
        assert after
        assert not PROVIDER.diff("id", after, WANTED).changes
        assert (olds["authority_cert"] == after["authority_cert"]) == ("authority" not in status)


@pytest.mark.parametrize("change", [{"certificate": 2.0}, {"authority": 2.0}, {"names": ["::1"]}])
def test_another_number_and_other_names(change: dict[str, Any]) -> None:
    """Each is another certificate, and only another authority is another authority."""
    olds, news = made(), {**WANTED, **change}
    assert PROVIDER.diff("id", olds, news).changes
    after = PROVIDER.update("id", olds, news).outs
    assert after
    assert not PROVIDER.diff("id", after, news).changes
    assert olds["key"] != after["key"]
    assert (olds["authority_key"] == after["authority_key"]) == ("authority" not in change)


def test_the_run_trusts_old_and_new() -> None:
    """While servers change, some show the one and some the other."""
    olds = made()
    PROVIDER.read("id", olds)
    after = PROVIDER.update("id", olds, {**WANTED, "authority": 2.0}).outs
    assert after
    login = this_run().own_login()
    assert login
    assert login.trusted
    assert olds["ca"] in login.trusted
    assert after["ca"] in login.trusted
    assert "BEGIN" not in repr(login)
