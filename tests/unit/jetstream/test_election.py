"""What is asked again while a cluster has no leader, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.errors import NO_META_LEADER, ApiError, Unreachable
from provisioner.jetstream import election
from provisioner.jetstream.election import ELECTION_TIMEOUT_S, outlast_election

NO_LEADER = ApiError(NO_META_LEADER, "JetStream system temporarily unavailable")
SILENCE = Unreachable("no answer")


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The module's clock."""
    clock = Clock()
    monkeypatch.setattr(election, "time", clock)
    return clock


def _asking(answers: list[Exception | str]) -> Iterator[str]:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
        yield answer


def _outlast(subject: str, *answers: Exception | str) -> str:
    remaining = list(answers)

    def ask() -> str:
        answer = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return next(_asking([answer]))

    return outlast_election(subject, ask)


@pytest.mark.parametrize("subject", ["STREAM.INFO.A", "STREAM.CREATE.A", "STREAM.DELETE.A"])
def test_a_refusal_for_want_of_a_leader_is_asked_again(clock: Clock, subject: str) -> None:
    """The server has not looked at the request."""
    assert _outlast(subject, NO_LEADER, NO_LEADER, "done") == "done"
    assert 0 < clock.now < 1


def test_a_read_without_an_answer_is_asked_again(clock: Clock) -> None:
    """It changes nothing."""
    assert _outlast("STREAM.LIST", SILENCE, "done") == "done"
    assert clock.now


def test_a_change_without_an_answer_is_not(clock: Clock) -> None:
    """It may have been made."""
    with pytest.raises(Unreachable, match="no answer"):
        _outlast("STREAM.UPDATE.A", SILENCE, "done")
    assert not clock.now


def test_other_errors_are_answers(clock: Clock) -> None:
    """As a stream that is not there."""
    with pytest.raises(ApiError):
        _outlast("STREAM.INFO.A", ApiError(10059, "stream not found"), "done")
    assert not clock.now


@pytest.mark.parametrize(("error", "text"), [(NO_LEADER, "no leader for 12 s"), (SILENCE, "no answer")])
def test_in_the_end_it_is_unreachable(clock: Clock, error: Exception, text: str) -> None:
    """A quorum that is lost does not come back by waiting."""
    with pytest.raises(Unreachable, match=text):
        _outlast("STREAM.INFO.A", error)
    assert ELECTION_TIMEOUT_S < clock.now < ELECTION_TIMEOUT_S + 1
