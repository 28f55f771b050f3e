"""Moving subjects between streams as a list of steps: pure.

nats-server lets no two streams capture one subject, so a stream has to release it before another
can acquire it. Each release stands right before the acquisition it makes room for: a subject is
without a stream for no longer than the two requests take, and so is it after a crash between them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from provisioner.rules import subjects
from provisioner.rules.subject_index import indexed

# From here on an index is quicker than looking at each pair.
_MANY_PAIRS: Final = 100

Subjects: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Release:
    """A stream keeps only these subjects for the moment; all its other settings stay as they are."""

    stream: str
    subjects: Subjects


@dataclass(frozen=True)
class Acquire:
    """A stream gets its whole wanted configuration."""

    stream: str


Step: TypeAlias = Release | Acquire


def plan_transfer(first: str, held: Mapping[str, Subjects], wanted: Mapping[str, Subjects]) -> tuple[Step, ...]:
    """The steps that give a stream its subjects, and every stream they touch its own.

    Args:
        first: the stream that a change was asked for.
        held: what each stream of ours captures now.
        wanted: what each stream is to capture; one that is to release its subjects only is not in it.
    """
    return _Transfer(held, wanted).steps(first)


def exchanging(first: str, held: Mapping[str, Subjects], wanted: Mapping[str, Subjects]) -> set[str]:
    """The streams that exchange subjects with one of them, directly or through others; itself included."""
    group, waiting = {first}, [first]
    while waiting:
        name = waiting.pop()
        takers = {other for other, theirs in wanted.items() if overlap(held.get(name, ()), theirs)}
        givers = {other for other, theirs in held.items() if overlap(wanted.get(name, ()), theirs)}
        waiting += (takers | givers) - group
        group |= takers | givers
    return group


def overlap(some: Collection[str], others: Collection[str]) -> bool:
    """Whether a subject could be captured by both."""
    if len(some) * len(others) < _MANY_PAIRS:
        return any(subjects.overlap(one, other) for one in some for other in others)
    return any(map(indexed(others).has_overlap, some))


class _Transfer:
    """What each stream holds after the steps so far."""

    def __init__(self, held: Mapping[str, Subjects], wanted: Mapping[str, Subjects]) -> None:
        self._held, self._wanted = dict(held), wanted
        self._steps: list[Step] = []

    def steps(self, first: str) -> tuple[Step, ...]:
        waiting, done = [first], set[str]()
        while waiting:
            name = waiting.pop(0)
            if name not in done:
                done.add(name)
                givers = self._release_for(name)
                waiting = [*self._acquire(name), *waiting, *givers]
        return tuple(self._steps)

    def _release_for(self, taker: str) -> list[str]:
        """Make room for a stream; the streams that gave way and have subjects of their own to get."""
        needed = self._wanted[taker]
        givers = [name for name, held in self._held.items() if name != taker and overlap(held, needed)]
        for giver in givers:
            self._held[giver] = self._remainder(giver, needed)
            self._steps.append(Release(giver, self._held[giver]))
        return [giver for giver in givers if giver in self._wanted]

    def _remainder(self, giver: str, needed: Subjects) -> Subjects:
        """What a stream keeps: of its wanted subjects those that are free, of its old ones those nobody needs."""
        others = [subject for name, held in self._held.items() if name != giver for subject in held]
        taken = indexed([*others, *needed])
        free = [subject for subject in self._wanted.get(giver, ()) if not taken.has_overlap(subject)]
        claimed = indexed([*needed, *free])
        kept = [subject for subject in self._held[giver] if not claimed.has_overlap(subject)]
        return (*free, *kept) or (subjects.released(giver),)

    def _acquire(self, name: str) -> list[str]:
        """Give a stream what it is to have; the streams that wait for what it releases by that."""
        freed, needed = self._held.get(name, ()), self._wanted[name]
        self._steps.append(Acquire(name))
        self._held[name] = needed
        takers = [other for other, theirs in self._wanted.items() if other != name and overlap(theirs, freed)]
        return [other for other in takers if self._held.get(other) != self._wanted[other]]
