"""What it takes to get from one configuration to another: pure, two values in, a plan out.

The rules are those of nats-server's configUpdateCheck (server/stream.go): the ``change`` column of the field table.
What cannot change in place can be restored from a snapshot, as its ``carry`` column says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from provisioner.plan.carried import carried_config
from provisioner.rules.normalise import captured, checked, normalise, update_request
from provisioner.rules.problem import Problem
from provisioner.rules.stream_config import config_problems, create_problems
from provisioner.schema.config import value_of
from provisioner.schema.fields import BY_NAME, FIELDS
from provisioner.schema.model import StreamConfig
from provisioner.schema.stores import StoreKind, kind_of
from provisioner.schema.types import Carry, Field, Mutability, Wire


class Effect(IntEnum):
    """What a change takes, the heavier the higher."""

    NOTHING = 0
    UPDATE = 1
    CARRY = 2  # a new stream with the messages and consumers of the old one
    REPLACE = 3  # a new and empty stream
    IMPOSSIBLE = 4


def heaviest(effects: Iterable[Effect], problems: Sequence[Problem]) -> Effect:
    """What a plan takes in all, by what its changes take; problems rule it out."""
    return Effect.IMPOSSIBLE if problems else max(effects, default=Effect.NOTHING)


@dataclass(frozen=True)
class Change:
    """One field that differs: wire values, what the change takes, and the word of a bucket or object store for it."""

    field: str
    old: Wire
    new: Wire
    effect: Effect
    word: str = ""

    @property
    def label(self) -> str:
        """What the field is called by those who use what is in the stream."""
        return self.word or self.field

    def __str__(self) -> str:
        field = BY_NAME[self.field]
        return f"{self.label} {spelled(field, self.old)} -> {spelled(field, self.new)}"


@dataclass(frozen=True)
class Plan:
    """The changes from the actual to the desired configuration, and the problems that rule them out."""

    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def effect(self) -> Effect:
        """The heaviest effect of all."""
        return heaviest((change.effect for change in self.changes), self.problems)

    @property
    def replaces(self) -> list[str]:
        """The fields that need a new and empty stream."""
        return self._fields(Effect.REPLACE)

    @property
    def carries(self) -> list[str]:
        """The fields that need a new stream which takes the messages over."""
        return self._fields(Effect.CARRY)

    def _fields(self, effect: Effect) -> list[str]:
        return [change.field for change in self.changes if change.effect is effect]


def plan(actual: StreamConfig, desired: StreamConfig) -> Plan:
    """From the actual configuration to the desired one.

    A desired configuration that breaks the server's rules, on its own or as the new stream that
    the change would make, makes the plan impossible.
    """
    planned = Plan(differences(actual, desired))
    return Plan(planned.changes, tuple(_problems(actual, desired, planned)))


def _problems(actual: StreamConfig, desired: StreamConfig, planned: Plan) -> list[Problem]:
    match planned.effect:
        case Effect.NOTHING:
            return []
        case Effect.REPLACE:
            return create_problems(desired)
        case Effect.CARRY:
            carried = carried_config(actual, desired, planned.carries)
            return [*create_problems(carried), *_update_problems(carried, desired)]
        case _:
            return _update_problems(actual, desired)


def _update_problems(actual: StreamConfig, desired: StreamConfig) -> list[Problem]:
    return [*config_problems(checked(update_request(desired))), *_stuck(actual, desired), *_unseen(actual, desired)]


def _stuck(actual: StreamConfig, desired: StreamConfig) -> Iterator[Problem]:
    """Delete markers and schedules turn deny_purge off before sealing turns it on, and off it may not go."""
    for field in ("subject_delete_marker_ttl", "allow_msg_schedules"):
        if desired["sealed"] and actual["deny_purge"] and value_of(desired, field):
            yield Problem(("sealed",), f"with {field} takes no update once deny_purge is on", ((field,),))


def _unseen(actual: StreamConfig, desired: StreamConfig) -> Iterator[Problem]:
    """What a mirror of a bucket has is under the other bucket's keys, where its own clients do not look."""
    if actual["mirror"] and not desired["mirror"] and kind_of(desired["name"]):
        what = f"cannot go: the entries are those of {actual['mirror']['name']}; make another bucket, with sources"
        yield Problem(("mirror",), what)


def as_named(config: StreamConfig, name: str) -> StreamConfig:
    """A configuration under another name; what it captures stays what it was."""
    return {**config, "name": name, "subjects": captured(config)}


def differences(actual: StreamConfig, desired: StreamConfig) -> tuple[Change, ...]:
    """Every field that differs once the server's defaults and rewrites are applied to both."""
    old, new = normalise(actual), _with_inherited(normalise(desired), actual)
    if old == new:  # nearly always, and a hundred times as fast to find out
        return ()
    kind = kind_of(desired["name"])
    return tuple(
        change
        for field in FIELDS
        if (change := _change(field, value_of(old, field.name), value_of(new, field.name), kind))
    )


def _change(field: Field, old: Wire, new: Wire, kind: StoreKind | None) -> Change | None:
    word = (kind.word(field.name) if kind else None) or ""
    return None if old == new else Change(field.name, old, new, _effect(field, old, new), word)


def _effect(field: Field, old: Wire, new: Wire) -> Effect:
    if IN_PLACE[field.change](old, new):
        return Effect.UPDATE
    carried = field.carry is Carry.ANY or (field.carry is Carry.DEFAULT and new == field.default)
    return Effect.CARRY if carried else Effect.REPLACE


def _with_inherited(desired: StreamConfig, actual: StreamConfig) -> StreamConfig:
    """A local mirror takes mirror_direct from its origin, whatever is asked for."""
    mirror = desired["mirror"]
    inherits = mirror and not mirror["external"] and actual["mirror"]
    return {**desired, "mirror_direct": actual["mirror_direct"]} if inherits else desired


def spelled(field: Field, wire: Wire) -> str:
    """A value as a catalogue has it: ``true``, not Python's ``True``."""
    value = "none" if wire is None else field.type.show(wire)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


IN_PLACE: Final[Mapping[Mutability, Callable[[Wire, Wire], bool]]] = {
    Mutability.FREE: lambda _old, _new: True,
    Mutability.FIXED: lambda _old, _new: False,
    Mutability.RISES: lambda old, _new: not old,
    Mutability.NOT_QUEUE: lambda old, new: "workqueue" not in (old, new),
    Mutability.PROMOTES: lambda _old, new: new is None,
    Mutability.SAME_KIND: lambda old, new: bool(old) == bool(new),
}
