"""What can be changed in a catalogue and in a stack's settings: a table of edits. Pure.

An edit is drawn without knowing what it will meet: its number chooses among what is there. So a part of a
campaign's steps can be replayed without the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from tests.support.campaign.model import EXTERNAL, NAMES, PLACES, PROCESS, SUBJECTS, Stream, World

Change = Callable[[World, Random], World]


@dataclass(frozen=True)
class Edit:
    """One change, by its name in EDITS; ``number`` decides what it is done to."""

    name: str
    number: int

    def apply(self, world: World) -> World:
        """The world afterwards; the same one where there is nothing to change."""
        return EDITS[self.name].change(world, Random(self.number))  # noqa: S311 - to be repeated


@dataclass(frozen=True)
class Row:
    """How often an edit is drawn, and what it does."""

    weight: int
    change: Change


def _set(name: str, values: tuple[object, ...]) -> Change:
    """Another value for one field of one stream; None leaves it out."""

    def change(world: World, chance: Random) -> World:
        stream = _one(world, chance)
        return _with(world, stream, _settings(world.streams[stream], name, chance.choice(values)))

    return change


def _settings(stream: Stream, name: str, value: object) -> Stream:
    settings = {key: text for key, text in stream.settings.items() if key != name}
    settings |= {} if value is None else {name: value}
    # The window must not be longer than the age.
    settings.pop("duplicate_window", None)
    return replace(stream, settings=settings | ({"duplicate_window": "1s"} if settings.get("max_age") == "3s" else {}))


def _move(world: World, chance: Random) -> World:
    """One subject, to a stream or to none."""
    subject = chance.choice(SUBJECTS)
    taker = chance.choice([*sorted(world.streams), ""])
    streams = {
        name: replace(stream, subjects=stream.subjects - {subject} | ({subject} if name == taker else set()))
        for name, stream in world.streams.items()
    }
    return replace(world, streams=streams)


def _rotate(world: World, chance: Random) -> World:
    """Two or three streams give their subjects to one another."""
    names = chance.sample(sorted(world.streams), min(len(world.streams), chance.choice((2, 2, 3))))
    takes_from = dict(zip(names, [*names[1:], names[0]], strict=True))
    streams = {
        name: replace(stream, subjects=world.streams[takes_from.get(name, name)].subjects)
        for name, stream in world.streams.items()
    }
    return replace(world, streams=streams)


def _widen(world: World, chance: Random) -> World:
    name = _one(world, chance)
    return _with(world, name, replace(world.streams[name], wide=not world.streams[name].wide))


def _rename(world: World, chance: Random) -> World:
    old, free = _one(world, chance), _free(world)
    if not free:
        return world
    new = chance.choice(free)
    return replace(world, streams={new if name == old else name: stream for name, stream in world.streams.items()})


def _remove(world: World, chance: Random) -> World:
    if len(world.streams) == 1:
        return world
    gone = _one(world, chance)
    return replace(world, streams={name: stream for name, stream in world.streams.items() if name != gone})


def _add(world: World, chance: Random) -> World:
    """A stream with subjects that nobody has, or with those of another."""
    free = _free(world)
    if not free:
        return world
    held = {subject for stream in world.streams.values() for subject in stream.subjects}
    subjects = [subject for subject in SUBJECTS if subject not in held][:4] or [chance.choice(SUBJECTS)]
    others = {name: replace(stream, subjects=stream.subjects - set(subjects)) for name, stream in world.streams.items()}
    return replace(world, streams={**others, chance.choice(free): Stream(frozenset(subjects))})


def _stack_policy(world: World, chance: Random) -> World:
    return replace(world, on_delete=chance.choice(("delete", "delete", "guard", "retain")))


def _relocate(world: World, chance: Random) -> World:
    return replace(world, place=chance.choice([place for place in PLACES if place != world.place]), shifted=False)


def _to_process(world: World, chance: Random) -> World:
    return replace(world, place=chance.choice(PROCESS)) if world.place in EXTERNAL else world


def _shift(world: World, _chance: Random) -> World:
    """Other ports for a server of the stack's own, which restarts it."""
    return replace(world, shifted=not world.shifted) if world.place in PROCESS else world


def _one(world: World, chance: Random) -> str:
    return chance.choice(sorted(world.streams))


def _free(world: World) -> list[str]:
    return [name for name in NAMES if name not in world.streams]


def _with(world: World, name: str, stream: Stream) -> World:
    return replace(world, streams={**world.streams, name: stream})


EDITS: Final[Mapping[str, Row]] = {
    "max_msgs": Row(3, _set("max_msgs", (None, 1_000_000, 500_000, 20, 20))),
    "max_bytes": Row(2, _set("max_bytes", (None, "100MiB", "50MiB", "4KiB"))),
    "max_age": Row(2, _set("max_age", (None, "7d", "1h", "3s"))),
    "max_msgs_per_subject": Row(2, _set("max_msgs_per_subject", (None, 100_000, 5))),
    "discard": Row(2, _set("discard", (None, "new"))),
    "description": Row(3, _set("description", (None, "first", "second"))),
    "storage": Row(3, _set("storage", (None, "memory"))),
    "retention": Row(3, _set("retention", (None, "interest", "workqueue"))),
    "on_delete": Row(3, _set("on_delete", (None, "delete", "guard", "retain"))),
    "onDelete": Row(1, _stack_policy),
    "move": Row(5, _move),
    "rotate": Row(5, _rotate),
    "widen": Row(3, _widen),
    "rename": Row(3, _rename),
    "remove": Row(3, _remove),
    "add": Row(4, _add),
    "relocate": Row(3, _relocate),
    "to process": Row(1, _to_process),
    "shift": Row(2, _shift),
}


def draw(chance: Random, count: int) -> tuple[Edit, ...]:
    """Some edits."""
    names: list[Any] = chance.choices(list(EDITS), [row.weight for row in EDITS.values()], k=count)
    return tuple(Edit(name, chance.randrange(1000)) for name in names)
