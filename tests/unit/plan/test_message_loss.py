"""What a change costs, where it turns on the age of messages: no server, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from provisioner.plan import message_loss
from provisioner.plan.diff import plan
from provisioner.plan.message_loss import Loss, Span, forecast
from provisioner.schema.model import StreamInfo
from provisioner.units import parse_time
from tests.support.configurations import config


@dataclass
class Clock:
    """A counter over messages stored at these times; it keeps the instants it was asked for."""

    times: tuple[str, ...]
    instants: list[str] = field(default_factory=list)

    def before(self, instant: str) -> int | None:
        self.instants.append(instant)
        return sum(parse_time(time) < parse_time(instant) for time in self.times)

    def per_subject(self) -> Iterator[int]:
        return iter(())

    def acknowledged(self) -> int:
        return 0

    def awaited(self) -> int:
        return 0


class Denied(Clock):
    """A counter without permission to read messages."""

    def before(self, _instant: str) -> None:
        return None


def _forecast(monkeypatch: pytest.MonkeyPatch, now: str, counter: Clock, max_age: str) -> Loss:
    monkeypatch.setattr(message_loss, "time_ns", lambda: parse_time(now))
    live = StreamInfo(config(), "", messages=len(counter.times), bytes=300, first_time=counter.times[0])
    desired = config(max_age=max_age)
    return forecast(live, desired, plan(live.config, desired), counter)


@pytest.mark.parametrize(
    ("first", "now", "expected"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T13:00:00.5Z", 1),
        ("2026-01-31T12:00:00.5Z", "2026-01-31T13:00:00Z", 0),
        ("2026-01-31T12:00:00.000000001Z", "2026-01-31T13:00:00.000000002Z", 1),
        ("2026-01-31T12:00:00.000000002Z", "2026-01-31T13:00:00.000000001Z", 0),
        ("2026-01-31T13:00:00+01:00", "2026-01-31T13:00:00.5Z", 1),
    ],
)
def test_messages_past_a_new_age(monkeypatch: pytest.MonkeyPatch, first: str, now: str, expected: int) -> None:
    """Times are compared as times, to the nanosecond: as text, a whole second sorts after each of its parts."""
    counter = Clock((first,))
    loss = _forecast(monkeypatch, now, counter, "61m")  # an hour, and the minute that is allowed a run
    assert Span(expected, expected) == loss.messages


def test_messages_that_pass_a_new_age_during_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the next minute are lost to this run, those of the rest of the hour are told, the others are neither."""
    times = ("T12:00:00Z", "T12:00:59Z", "T12:01:01Z", "T12:59:59Z", "T13:00:01Z")
    counter = Clock(tuple(f"2026-01-31{time}" for time in times))
    loss = _forecast(monkeypatch, "2026-01-31T14:00:00Z", counter, "2h")
    assert (Span(2, 2), 2) == (loss.messages, loss.soon)
    assert str(loss) == (
        "max_age unlimited -> 2h would delete 2 of 5 messages (about 120 B, oldest 2026-01-31T12:00:00Z), "
        "and 2 more within the hour"
    )
    assert loss.note == ""


def test_messages_that_pass_a_new_age_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing goes in this run, the note has the number of the next hour."""
    counter = Clock(("2026-01-31T12:30:00Z", "2026-01-31T13:30:00Z"))
    loss = _forecast(monkeypatch, "2026-01-31T14:00:00Z", counter, "2h")
    assert (False, 1) == (bool(loss), loss.soon)
    assert loss.note == "max_age unlimited -> 2h: 1 of 2 messages will be past max_age within the hour"


def test_an_age_shorter_than_the_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is stored goes before the run is over; nobody asks for a time that is still to come."""
    counter = Clock(("2026-01-31T13:59:58Z", "2026-01-31T13:59:59Z"))
    loss = _forecast(monkeypatch, "2026-01-31T14:00:00Z", counter, "30s")
    assert (Span(2, 2), 0) == (loss.messages, loss.soon)
    assert {"2026-01-31T14:00:00Z"} == {instant.replace(".000000000", "") for instant in counter.instants}


def test_who_may_not_count_is_given_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without permission to read messages: up to all of them."""
    loss = _forecast(monkeypatch, "2026-01-31T14:00:00Z", Denied(("2026-01-31T12:00:00Z",)), "1h")
    assert (Span(0, 1), 0) == (loss.messages, loss.soon)


def test_messages_younger_than_both_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first message's time is enough to know: no request."""
    counter = Clock(("2026-01-31T13:59:00Z",))
    assert not _forecast(monkeypatch, "2026-01-31T14:00:00Z", counter, "7d").soon
    assert [] == counter.instants


def test_the_instant_asked_for_has_nanoseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """In RFC 3339, in UTC."""
    counter = Clock(("2026-01-31T00:00:00Z",))
    _forecast(monkeypatch, "2026-01-31T12:01:00.000000007Z", counter, "3m")
    assert "2026-01-31T11:59:00.000000007Z" == counter.instants[0]
