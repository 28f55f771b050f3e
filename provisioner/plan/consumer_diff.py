"""What it takes to get a consumer from one configuration to another: pure, two values in, a plan out.

The rules are those of nats-server's checkNewConsumerConfig (server/consumer.go): the ``change`` column of
the field table. What cannot change in place needs a new consumer; where the server can set its position
(CONSUMER.RESET), it goes on where the old one was, and otherwise begins where its deliver_policy says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from provisioner.plan.diff import IN_PLACE, Effect, heaviest, spelled
from provisioner.rules.consumer_config import consumer_problems
from provisioner.rules.consumer_normalise import normalise_consumer
from provisioner.rules.problem import Problem
from provisioner.schema.consumer_fields import CONSUMER_FIELD, CONSUMER_FIELDS, consumer_value
from provisioner.schema.consumer_model import ConsumerConfig
from provisioner.schema.model import StreamConfig
from provisioner.schema.types import Carry, Field, Wire

# The server sets the position of these; of the others only a new consumer's start is defined.
RESETTABLE: Final = ("all", "by_start_sequence", "by_start_time")
RESET_SINCE: Final = (2, 14)


@dataclass(frozen=True)
class ConsumerChange:
    """One field that differs: wire values, and what the change takes."""

    field: str
    old: Wire
    new: Wire
    effect: Effect

    def __str__(self) -> str:
        field = CONSUMER_FIELD[self.field]
        return f"{self.field} {spelled(field, self.old)} -> {spelled(field, self.new)}"


@dataclass(frozen=True)
class ConsumerPlan:
    """The changes from the actual to the desired configuration, and the problems that rule them out."""

    changes: tuple[ConsumerChange, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def effect(self) -> Effect:
        """The heaviest effect of all."""
        return heaviest((change.effect for change in self.changes), self.problems)

    @property
    def replaces(self) -> tuple[ConsumerChange, ...]:
        """The changes that need a new consumer."""
        return tuple(change for change in self.changes if change.effect > Effect.UPDATE)


def plan_consumer(
    actual: ConsumerConfig, desired: ConsumerConfig, stream: StreamConfig, *, can_reset: bool = True
) -> ConsumerPlan:
    """From the actual configuration to the desired one, on a stream of this configuration.

    Args:
        actual: what the server holds.
        desired: what is wanted.
        stream: the stream as it will be.
        can_reset: whether the server can set a consumer's position.
    """
    changes = tuple(_changes(actual, desired, stream, can_reset=can_reset))
    return ConsumerPlan(changes, tuple(consumer_problems(desired, stream)) if changes else ())


def _changes(
    actual: ConsumerConfig, desired: ConsumerConfig, stream: StreamConfig, *, can_reset: bool
) -> Iterator[ConsumerChange]:
    old, new = normalise_consumer(actual, stream), normalise_consumer(desired, stream)
    keeps = can_reset and new["deliver_policy"] in RESETTABLE
    for field in CONSUMER_FIELDS:
        before, after = consumer_value(old, field.name), consumer_value(new, field.name)
        if before != after:
            yield ConsumerChange(field.name, before, after, _effect(field, before, after, keeps=keeps))


def _effect(field: Field, old: Wire, new: Wire, *, keeps: bool) -> Effect:
    if IN_PLACE[field.change](old, new):
        return Effect.UPDATE
    return Effect.CARRY if keeps and field.carry is Carry.ANY else Effect.REPLACE
