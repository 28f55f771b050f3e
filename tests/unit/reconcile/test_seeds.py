"""First values of a bucket where the server is not there at once."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.errors import (
    WRONG_LAST_SEQUENCE,
    WRONG_LAST_SEQUENCE_IN_CLUSTER,
    ApiError,
    JetStreamOff,
    ProvisionerError,
    Unreachable,
)
from provisioner.reconcile import seeds


class _Context:
    """A context and its client, which answers as it is told."""

    cluster = "C"

    def __init__(self, *answers: Exception | None) -> None:
        self.answers, self.published = list(answers), list[str]()

    def client(self) -> _Context:
        return self

    def publish(self, subject: str, _value: bytes, headers: dict[str, str]) -> None:
        assert headers == {"Nats-Expected-Last-Subject-Sequence": "0"}
        self.published.append(subject)
        if answer := self.answers.pop(0):
            raise answer


def _sown(context: Any) -> list[str]:
    seeds.sow(context, "B", {"one": "1", "two": "2"})
    published: list[str] = context.published
    return published


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "_PAUSE_S", 0)


@pytest.mark.parametrize("code", [WRONG_LAST_SEQUENCE, WRONG_LAST_SEQUENCE_IN_CLUSTER])
def test_what_is_there_stays(code: int) -> None:
    """The others are still given theirs."""
    assert ["$KV.B.one", "$KV.B.two"] == _sown(_Context(ApiError(code, "wrong last sequence"), None))


@pytest.mark.parametrize("error", [JetStreamOff("nobody"), Unreachable("no answer")])
def test_a_new_stream_that_not_every_node_knows(error: Exception) -> None:
    """Asked again; if the first one arrived after all, it is there."""
    context = _Context(error, ApiError(WRONG_LAST_SEQUENCE, "wrong last sequence"), None)
    assert ["$KV.B.one", "$KV.B.one", "$KV.B.two"] == _sown(context)


def test_another_refusal_names_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a server that stays away ends it."""
    with pytest.raises(ProvisionerError, match=r"KV_B: seed one: maximum bytes exceeded \(10077\)"):
        _sown(_Context(ApiError(10077, "maximum bytes exceeded")))
    monkeypatch.setattr(seeds, "ELECTION_TIMEOUT_S", -1)
    with pytest.raises(Unreachable, match="KV_B: seed one: no answer"):
        _sown(_Context(Unreachable("no answer")))


def test_a_single_server_is_asked_once() -> None:
    """It knows a stream that it has made; one that does not answer then has a full disk, say."""
    context = _Context(Unreachable("no answer"), None)
    context.cluster = ""
    with pytest.raises(Unreachable):
        _sown(context)
    assert ["$KV.B.one"] == context.published
