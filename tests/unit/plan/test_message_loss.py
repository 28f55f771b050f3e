"""What a change costs, where it turns on the age of messages: no server, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from provisioner.plan import message_loss
from provisioner.plan.diff import plan
from provisioner.plan.message_loss import Span, forecast
from provisioner.schema.model import StreamInfo
from provisioner.units import parse_time
from tests.support.configurations import config


@dataclass
class Counting:
    """A counter that finds two messages, and keeps the instant it was asked for."""

    instants: list[str] = field(default_factory=list)

    def before(self, instant: str) -> int | None:
        self.instants.append(instant)
        return 2

    def per_subject(self) -> Iterator[int]:
        return iter(())


@pytest.mark.parametrize(
    ("first", "now", "expected"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:01:00.5Z", 2),
        ("2026-01-31T12:00:00.5Z", "2026-01-31T12:01:00Z", 0),
        ("2026-01-31T12:00:00.000000001Z", "2026-01-31T12:01:00.000000002Z", 2),
        ("2026-01-31T12:00:00.000000002Z", "2026-01-31T12:01:00.000000001Z", 0),
        ("2026-01-31T13:00:00+01:00", "2026-01-31T12:01:00.5Z", 2),
    ],
)
def test_messages_past_a_new_age(monkeypatch: pytest.MonkeyPatch, first: str, now: str, expected: int) -> None:
    """Times are compared as times, to the nanosecond: as text, a whole second sorts after each of its parts."""
    monkeypatch.setattr(message_loss, "time_ns", lambda: parse_time(now))
    live = StreamInfo(config(), "", messages=3, bytes=300, first_time=first)
    desired, counter = config(max_age="1m"), Counting()

    assert Span(expected, expected) == forecast(live, desired, plan(live.config, desired), counter).messages
    assert bool(expected) == bool(counter.instants)


def test_the_instant_asked_for_has_nanoseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """In RFC 3339, in UTC."""
    monkeypatch.setattr(message_loss, "time_ns", lambda: parse_time("2026-01-31T12:01:00.000000007Z"))
    live = StreamInfo(config(), "", messages=3, first_time="2026-01-31T00:00:00Z")
    desired, counter = config(max_age="1m"), Counting()
    forecast(live, desired, plan(live.config, desired), counter)
    assert ["2026-01-31T12:00:00.000000007Z"] == counter.instants
