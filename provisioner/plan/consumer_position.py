"""What a change of a consumer delivers a second time, and what it never delivers: pure.

An UPDATE leaves the position alone; only other filters can make it pass messages by. A new consumer begins
where its deliver_policy says, or is set to where the old one was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, Protocol

from provisioner.plan.consumer_diff import ConsumerPlan
from provisioner.plan.diff import Effect
from provisioner.plan.message_loss import Span
from provisioner.rules.subjects import meet
from provisioner.schema.consumer_model import ConsumerConfig, ConsumerInfo, subject_filters

_NONE: Final = Span(0, 0)


class MessageCounter(Protocol):
    """What has to be asked of the server, of the consumer's stream."""

    def matching(self, subject: str) -> int:
        """How many messages are stored on the subjects that match."""


@dataclass(frozen=True)
class Shift:
    """What the clients of a consumer see of a change.

    Attributes:
        changes: what does it, in words.
        redelivered: messages that were acknowledged and come again.
        skipped: messages that were yet to be acknowledged and do not come any more.
    """

    changes: str = ""
    redelivered: Span = _NONE
    skipped: Span = _NONE

    def __bool__(self) -> bool:
        return bool(self.redelivered.most or self.skipped.most)

    def __str__(self) -> str:
        told = [f"redeliver {self.redelivered}"] if self.redelivered.most else []
        told += [f"skip {self.skipped}"] if self.skipped.most else []
        return f"{self.changes} would {' and '.join(told)} messages"


def forecast_shift(
    live: ConsumerInfo, desired: ConsumerConfig, planned: ConsumerPlan, counter: MessageCounter
) -> Shift:
    """What carrying out a plan does to the position, by the consumer as it is now."""
    changes = planned.replaces or planned.changes
    listed = ", ".join(map(str, changes))
    match planned.effect:
        case Effect.UPDATE:
            return Shift(listed, skipped=_passed_by(live, desired, counter))
        case Effect.CARRY:
            beyond = Span(0, live.acknowledged_beyond)
            return Shift(f"{listed} needs a new consumer and", beyond, _passed_by(live, desired, counter))
        case Effect.REPLACE:
            redelivered, skipped = _begin(live, desired, counter)
            return Shift(f"{listed} needs a new consumer and", redelivered, skipped)
        case _:
            return Shift()


def _filters(config: ConsumerConfig) -> list[str]:
    return subject_filters(config) or [">"]


def _passed_by(live: ConsumerInfo, desired: ConsumerConfig, counter: MessageCounter) -> Span:
    """Of the messages that are yet to be delivered, those that the new filters leave out."""
    old, new = _filters(live.config), _filters(desired)
    if not live.pending or all(any(meet(one, two) == one for two in new) for one in old):
        return _NONE
    stored = sum(map(counter.matching, old))
    kept = sum(map(counter.matching, _shared(old, new)))
    return Span(max(live.pending - kept, 0), min(live.pending, max(stored - kept, 0)))


def _shared(old: list[str], new: list[str]) -> Iterator[str]:
    return (both for one, two in product(old, new) if (both := meet(one, two)))


def _begin(live: ConsumerInfo, desired: ConsumerConfig, counter: MessageCounter) -> tuple[Span, Span]:
    """Of a new consumer: what comes again, and what is left out."""
    stored = sum(map(counter.matching, _filters(desired)))
    done = max(stored - live.outstanding, 0)
    if _filters(desired) != _filters(live.config):
        return Span(0, stored), Span(0, live.outstanding)
    return _STARTS.get(desired["deliver_policy"], _anywhere)(done, live.outstanding)


def _from_the_first(done: int, _outstanding: int) -> tuple[Span, Span]:
    return Span(done, done), _NONE


def _from_now(_done: int, outstanding: int) -> tuple[Span, Span]:
    return _NONE, Span(outstanding, outstanding)


def _from_the_last(done: int, outstanding: int) -> tuple[Span, Span]:
    again, left = int(done > 0 and not outstanding), max(outstanding - 1, 0)
    return Span(again, again), Span(left, left)


def _anywhere(done: int, outstanding: int) -> tuple[Span, Span]:
    return Span(0, done), Span(0, outstanding)


_STARTS: Final[Mapping[str, Callable[[int, int], tuple[Span, Span]]]] = {
    "all": _from_the_first,
    "new": _from_now,
    "last": _from_the_last,
}
