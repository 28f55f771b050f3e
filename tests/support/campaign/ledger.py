"""The account of acknowledged messages: which are missing, and which of those may be. Pure.

An acknowledgement names the stream and the message's place in it. So whether the message is still there follows
from what the server says of the stream, and nothing has to be read; unless the stream was made after the
acknowledgement, which is another one of its name, or the one that took its messages over.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_CLOCKS_S: Final = 0.5  # a message that was on its way when the stream was made

Key = tuple[str, str]  # place, stream


class Ack(NamedTuple):
    """An acknowledged message.

    Attributes:
        number: its payload, which no other message has.
        sequence: its place in the stream.
        sent: seconds since the epoch.
    """

    number: int
    sequence: int
    sent: float


@dataclass(frozen=True)
class Held:
    """What a server says of a stream: the sequences that are in it, and when it was created.

    Attributes:
        created: seconds since the epoch.
        first: the first sequence.
        last: the last one.
        deleted: those between that are not there.
        numbers: what its messages are, where they had to be read.
    """

    created: float
    first: int
    last: int
    deleted: frozenset[int] = frozenset()
    numbers: frozenset[int] | None = None

    def has(self, ack: Ack) -> bool:
        """Whether the message is in it."""
        if self.numbers is not None:
            return ack.number in self.numbers
        in_it = self.first <= ack.sequence <= self.last and ack.sequence not in self.deleted
        return in_it and ack.sent > self.created - _CLOCKS_S


@dataclass
class Ledger:
    """Every acknowledged message that should be somewhere.

    Attributes:
        count: all that were ever acknowledged.
    """

    count: int = 0
    _acks: dict[Key, dict[int, Ack]] = field(default_factory=lambda: defaultdict(dict))
    _displaced: dict[Key, list[Ack]] = field(default_factory=lambda: defaultdict(list))

    def record(self, place: str, stream: str, ack: Ack) -> None:
        """Note an acknowledgement; one with the same sequence before it was of another stream of this name."""
        self.count += 1
        before = self._acks[place, stream].get(ack.sequence)
        if before:
            self._displaced[place, stream].append(min(before, ack))
        self._acks[place, stream][ack.sequence] = max(before or ack, ack)

    def expecting(self) -> set[Key]:
        """The streams that should hold something."""
        return {key for key in {*self._acks, *self._displaced} if self._acks[key] or self._displaced[key]}

    def expected(self, key: Key) -> list[Ack]:
        """What a stream should hold, by number."""
        return sorted(self._acks[key].values())

    def missing(self, key: Key, held: Held | None) -> list[Ack]:
        """What a stream should hold and does not; without it, everything."""
        gone = [ack for ack in self._acks[key].values() if not (held and held.has(ack))]
        return sorted([*self._displaced[key], *gone])

    def has_before(self, key: Key, instant: float) -> bool:
        """Whether a stream should hold messages that were acknowledged before an instant."""
        return any(ack.sent <= instant for ack in self._acks[key].values())

    def forget(self, key: Key, acks: Collection[Ack]) -> None:
        """Expect these no more."""
        numbers = {ack.number for ack in acks}
        self._acks[key] = {at: ack for at, ack in self._acks[key].items() if ack.number not in numbers}
        self._displaced[key] = [ack for ack in self._displaced[key] if ack.number not in numbers]


@dataclass
class Excuses:
    """Why messages may be missing after a step.

    Attributes:
        approved: stream -> when the last run that was allowed to lose its messages ended.
        dropping: streams that delete messages by themselves.
        volatile: streams in the memory of a server that was killed.
    """

    approved: dict[str, float] = field(default_factory=dict)
    dropping: set[str] = field(default_factory=set)
    volatile: set[Key] = field(default_factory=set)

    def covers(self, key: Key) -> bool:
        """Whether the stream may miss any message, whoever approved of it."""
        return key[1] in self.dropping or key in self.volatile

    def unexcused(self, key: Key, missing: Collection[Ack]) -> list[Ack]:
        """Those of the missing messages that nothing explains."""
        if self.covers(key):
            return []
        return [ack for ack in missing if ack.sent > self.approved.get(key[1], 0.0)]


def dropping(before: Mapping[str, bool], after: Mapping[str, bool], few: Collection[str]) -> set[str]:
    """The streams that may drop messages by themselves in a step.

    Args:
        before: whether each stream does so before the step.
        after: whether each is to do so.
        few: those with so few messages that the new limit costs none.
    """
    ever = {name for name, drops in before.items() if drops}
    return ever | {name for name, drops in after.items() if drops and (name not in before or name in few)}


def uncopied(missing: Iterable[Ack], copies: Sequence[Collection[int]], *, drops: bool) -> list[Ack]:
    """Messages that were deleted with approval, and that no copy has.

    Args:
        missing: those that are not in the stream any more.
        copies: the messages in each copy of the stream, by number.
        drops: whether the stream now deletes messages by itself: then only what came before those in its copy is
            compared. Publishers number their messages in the order in which a stream gets them.
    """
    copied = {number for copy in copies for number in copy}
    if drops and len(copies) != 1:
        return []
    last = max(copied, default=0) if drops else math.inf
    return [ack for ack in missing if ack.number not in copied and ack.number <= last]
