"""What a change of a consumer delivers again, and what it passes by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from provisioner.plan.consumer_diff import plan_consumer
from provisioner.plan.consumer_position import Shift, forecast_shift
from provisioner.plan.message_loss import Span
from provisioner.schema.consumer_model import ConsumerConfig, ConsumerInfo
from tests.support.configurations import config
from tests.support.consumer_configurations import consumer

STREAM = config("ORDERS", subjects=["orders.>"])
NONE = Span(0, 0)


@dataclass
class Stored:
    """So many messages on each pattern that is asked for."""

    counts: dict[str, int] = field(default_factory=lambda: {">": 10})

    def matching(self, subject: str) -> int:
        return self.counts[subject]


def _shift(live: ConsumerInfo, desired: ConsumerConfig, counts: dict[str, int] | None = None, **plan: bool) -> Shift:
    planned = plan_consumer(live.config, desired, STREAM, **plan)
    return forecast_shift(live, desired, planned, Stored(counts or {">": 10}))


def _live(**fields: Any) -> ConsumerInfo:
    """Of ten messages seven are delivered, one of which is not acknowledged."""
    return ConsumerInfo("ORDERS", consumer(**fields), "now", delivered=7, acknowledged=6, unacknowledged=1, pending=3)


@pytest.mark.parametrize(
    ("fields", "redelivered", "skipped"),
    [
        ({"deliver_policy": "new"}, NONE, Span(4, 4)),
        ({"deliver_policy": "last"}, NONE, Span(3, 3)),
        ({"deliver_policy": "by_start_sequence", "opt_start_seq": 3}, Span(0, 6), Span(0, 4)),
    ],
)
def test_a_new_consumer_begins_where_its_policy_says(fields: dict[str, Any], redelivered: Span, skipped: Span) -> None:
    """Another deliver_policy moves the position."""
    shift = _shift(_live(), consumer(**fields))
    assert (redelivered, skipped) == (shift.redelivered, shift.skipped)


def test_everything_comes_again() -> None:
    """All of what was acknowledged, in words."""
    shift = _shift(_live(deliver_policy="new"), consumer())
    assert "deliver_policy new -> all needs a new consumer and would redeliver 6 messages" == str(shift)


def test_a_position_that_is_kept_moves_nothing() -> None:
    """What cannot change in place is replaced at the same position."""
    assert not _shift(_live(), consumer(max_waiting=7))


def test_acknowledged_out_of_turn() -> None:
    """Above the ack floor nobody knows which: at most so many come again."""
    live = ConsumerInfo("ORDERS", consumer(), "now", 7, 3, acknowledged_beyond=3, unacknowledged=1, pending=3)
    assert Span(0, 3) == _shift(live, consumer(max_waiting=7)).redelivered


def test_a_server_that_cannot_set_a_position() -> None:
    """Before 2.14 a new consumer begins anew."""
    assert Span(6, 6) == _shift(_live(), consumer(max_waiting=7), can_reset=False).redelivered


@pytest.mark.parametrize(
    ("old", "new", "counts", "skipped"),
    [
        ([], ["orders.a"], {">": 10, "orders.a": 10}, NONE),
        ([], ["orders.a"], {">": 10, "orders.a": 2}, Span(1, 3)),
        ([], ["orders.a"], {">": 10, "orders.a": 0}, Span(3, 3)),
        (["orders.a", "orders.b"], ["orders.b"], {"orders.a": 1, "orders.b": 9}, Span(0, 1)),
        (["orders.a"], ["orders.*"], {}, NONE),
        (["orders.a"], [], {}, NONE),
    ],
)
def test_filters_pass_messages_by(old: list[str], new: list[str], counts: dict[str, int], skipped: Span) -> None:
    """Of what is yet to be delivered, what only the old filters match."""
    shift = _shift(_live(filter_subjects=old), consumer(filter_subjects=new), counts)
    assert (NONE, skipped) == (shift.redelivered, shift.skipped)


def test_nothing_waits() -> None:
    """Filters do not matter to a consumer that has delivered everything."""
    live = ConsumerInfo("ORDERS", consumer(), "now", 10, 10)
    assert not _shift(live, consumer(filter_subject="orders.none"), {})
