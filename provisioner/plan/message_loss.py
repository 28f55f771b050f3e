"""What a change costs in stored messages: which changes discard some, and how many.

nats-server trims a stream at the moment of an UPDATE, without a word. Each row of ``LOSS_RULES`` was
tried on a real server; what is not in it (subjects, sources, a removed mirror, compression,
max_msg_size, sealing, delete markers) leaves every stored message alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import time_ns
from typing import Final, Protocol

from provisioner.plan.diff import Change, Effect, Plan
from provisioner.rules.normalise import normalise
from provisioner.schema.model import StreamConfig, StreamInfo
from provisioner.schema.stores import entry_of, word_of
from provisioner.text import approximate_size
from provisioner.units import format_time, parse_time

# Messages that pass a new max_age within this time are lost to the run that sets it: it counts, waits for requests and
# for its copies, and the server looks for old messages a moment later.
AGE_MARGIN_S: Final = 60
_SOON_S: Final = 3600
_SECOND_NS: Final = 1_000_000_000


class Counter(Protocol):
    """What has to be asked of the server, of one stream."""

    def before(self, instant: str) -> int | None:
        """Messages stored before an instant; None where these credentials may not ask."""

    def per_subject(self) -> Iterator[int]:
        """The messages of each subject."""

    def acknowledged(self) -> int:
        """The messages that the consumers have acknowledged, if no two of them take the same."""

    def awaited(self) -> int:
        """The messages that the consumers have yet to acknowledge, if no two of them take the same."""


@dataclass(frozen=True)
class Span:
    """At least so many messages, at most so many."""

    fewest: int
    most: int

    def __str__(self) -> str:
        """In words: a number where it is exact, else a range."""
        if self.fewest == self.most:
            return f"{self.most:,}"
        return f"{self.fewest:,} to {self.most:,}" if self.fewest else f"up to {self.most:,}"


@dataclass(frozen=True)
class LossRule:
    """One way in which a change deletes stored messages.

    Attributes:
        fields: a change of any of them can do it.
        effect: what it does to the stored messages, in words.
        count: how many go, by the stream as it is and its new configuration.
    """

    fields: tuple[str, ...]
    effect: str
    count: Callable[[StreamInfo, StreamConfig, Counter], Span]


@dataclass(frozen=True)
class Loss:
    """What one change of one stream discards.

    Attributes:
        live: the stream as it is.
        changes: the fields that do it.
        messages: how many go in this run.
        replaces: whether there is a new stream.
        soon: how many more pass a new max_age within the hour.
    """

    live: StreamInfo
    changes: tuple[Change, ...]
    messages: Span
    replaces: bool = False
    soon: int = 0

    def __bool__(self) -> bool:
        return self.messages.most > 0

    @property
    def exact(self) -> bool:
        """Whether the server could tell the number."""
        return self.messages.fewest == self.messages.most

    def __str__(self) -> str:
        listed = ", ".join(map(str, self.changes))
        how = " needs a new stream and" if self.replaces else ""
        soon = f", and {self.soon:,} more within the hour" if self.soon else ""
        return f"{listed}{how} would delete {self.messages} of {self._entries} ({self._size()}){soon}"

    @property
    def note(self) -> str:
        """What a change means that deletes nothing yet; empty where it never will."""
        if self or not self.soon:
            return ""
        listed = ", ".join(map(str, self.changes))
        return f"{listed}: {self.soon:,} of {self._entries} will be past {self._age} within the hour"

    @property
    def _entries(self) -> str:
        return f"{self.live.messages:,} {entry_of(self.live.config['name'])}s"

    @property
    def _age(self) -> str:
        return word_of(self.live.config["name"], "max_age")

    def _size(self) -> str:
        share = self.live.bytes * self.messages.most // max(self.live.messages, 1)
        about = "" if share == self.live.bytes and self.exact else "about " if self.exact else "at most "
        return f"{about}{approximate_size(share)}, oldest {self.live.first_time[:19]}Z"


def forecast(live: StreamInfo, desired: StreamConfig, planned: Plan, counter: Counter) -> Loss:
    """What carrying out a plan discards, by the stream as it is now."""
    if not live.messages or planned.effect not in (Effect.UPDATE, Effect.CARRY, Effect.REPLACE):
        return Loss(live, (), Span(0, 0))
    if planned.effect is Effect.REPLACE:
        fixed = tuple(change for change in planned.changes if change.effect is Effect.REPLACE)
        return Loss(live, fixed, Span(live.messages, live.messages), replaces=True)
    changes = tuple(change for change in planned.changes if change.field in _TRIMMING)
    spans = [rule.count(live, normalise(desired), counter) for rule in LOSS_RULES] if changes else []
    messages = _together(spans, live.messages)
    aging = any(change.field == "max_age" for change in changes)
    return Loss(live, changes, messages, soon=_soon(live, normalise(desired), messages, counter) if aging else 0)


def _together(spans: list[Span], messages: int) -> Span:
    """Two limits may hit the same messages or others."""
    hits = [span for span in spans if span.most]
    fewest = max((span.fewest for span in hits), default=0)
    # What is counted per subject is counted a moment later, and publishers go on.
    return Span(min(fewest, messages), min(messages, sum(span.most for span in hits)))


def _too_old(live: StreamInfo, desired: StreamConfig, counter: Counter) -> Span:
    """Messages that are too old when the run is over, AGE_MARGIN_S from now at the latest."""
    count = _past_age(live, desired, AGE_MARGIN_S, counter)
    return Span(0, live.messages) if count is None else Span(count, count)


def _soon(live: StreamInfo, desired: StreamConfig, messages: Span, counter: Counter) -> int:
    """Messages that are too old within the hour, beside those that go at once."""
    return max((_past_age(live, desired, _SOON_S, counter) or 0) - messages.most, 0)


def _past_age(live: StreamInfo, desired: StreamConfig, seconds: int, counter: Counter) -> int | None:
    """How many of the stored messages are past max_age in some seconds; None where nobody may count."""
    if not desired["max_age"]:
        return 0
    now = time_ns()
    oldest = min(now - desired["max_age"] + seconds * _SECOND_NS, now)
    return 0 if parse_time(live.first_time) > oldest else counter.before(format_time(oldest))


def _too_many(live: StreamInfo, desired: StreamConfig, _counter: Counter) -> Span:
    if desired["discard"] != "old" or desired["max_msgs"] < 0:
        return Span(0, 0)
    over = max(live.messages - desired["max_msgs"], 0)
    return Span(over, over)


def _too_large(live: StreamInfo, desired: StreamConfig, _counter: Counter) -> Span:
    """The server drops the oldest until the rest fits; nobody tells how large those are."""
    if desired["discard"] != "old" or not 0 <= desired["max_bytes"] < live.bytes:
        return Span(0, 0)
    return Span(1, live.messages)


def _too_many_per_subject(_live: StreamInfo, desired: StreamConfig, counter: Counter) -> Span:
    limit = desired["max_msgs_per_subject"]
    if limit < 0:
        return Span(0, 0)
    over = sum(max(count - limit, 0) for count in counter.per_subject())
    return Span(over, over)


def _without_interest(live: StreamInfo, desired: StreamConfig, counter: Counter) -> Span:
    """Whatever no consumer waits for is deleted at once; which that is, the consumers decide."""
    if desired["retention"] != "interest" or live.config["retention"] == "interest":
        return Span(0, 0)
    if not live.consumers:
        return Span(live.messages, live.messages)
    awaited = counter.awaited() if live.config["retention"] == "workqueue" else 0
    return Span(0, max(live.messages - awaited, 0))


def _done_with(live: StreamInfo, desired: StreamConfig, counter: Counter) -> Span:
    """A work queue keeps no message that its consumer has acknowledged."""
    if desired["retention"] != "workqueue" or live.config["retention"] == "workqueue" or not live.consumers:
        return Span(0, 0)
    done = min(counter.acknowledged(), live.messages)
    return Span(done, done)


LOSS_RULES: Final = (
    LossRule(("max_age",), "messages past max_age, now or within a minute, are deleted", _too_old),
    LossRule(("max_msgs", "discard"), "with discard old, the oldest beyond max_msgs are deleted", _too_many),
    LossRule(("max_bytes", "discard"), "with discard old, the oldest are deleted until max_bytes holds", _too_large),
    LossRule(
        ("max_msgs_per_subject",),
        "the oldest of each subject beyond it are deleted, even with discard new",
        _too_many_per_subject,
    ),
    LossRule(("retention",), "to interest: messages that no consumer waits for are deleted", _without_interest),
    LossRule(("retention",), "to workqueue: messages that its consumers have acknowledged are deleted", _done_with),
)

# Sealing is one of them: it turns discard to new and max_age off, and so belongs to the change that is shown.
_TRIMMING: Final = frozenset(("sealed", *(field for rule in LOSS_RULES for field in rule.fields)))
