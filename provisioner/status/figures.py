"""The figures of streams and consumers against their thresholds: values in, results out, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from provisioner.rules.fullness import consequence
from provisioner.schema.consumer_model import ConsumerInfo
from provisioner.schema.model import StreamInfo
from provisioner.status.server_checks import Severity
from provisioner.status.thresholds import ConsumerThresholds, StreamThresholds
from provisioner.text import counted
from provisioner.units import format_duration, parse_time

_SECOND_NS: Final = 1_000_000_000


class Finding(NamedTuple):
    """A figure that is beyond a threshold, and the state that it puts its owner in."""

    state: str
    severity: Severity
    text: str


def stream_findings(info: StreamInfo, thresholds: StreamThresholds, now: datetime | None) -> Iterator[Finding]:
    """What is beyond a threshold of a stream; ``now`` is the time, without which no silence is judged."""
    yield from _nearly_full(info, thresholds)
    if severity := thresholds.messages.judged(info.messages):
        yield Finding("nearly empty", severity, f"has only {counted(info.messages, 'message')}")
    silence = silent_ns(info, now) if now else 0
    if thresholds.expect_every and silence > thresholds.expect_every:
        rounded = format_duration(silence // _SECOND_NS * _SECOND_NS)
        expected = format_duration(thresholds.expect_every)
        yield Finding("quiet", Severity.WARNING, f"no new message for {rounded}; one is expected every {expected}")


def consumer_findings(info: ConsumerInfo, thresholds: ConsumerThresholds) -> Iterator[Finding]:
    """What is beyond a threshold of a consumer."""
    rows = (
        ("behind", thresholds.lag, info.pending, "yet to be delivered"),
        ("behind", thresholds.unacknowledged, info.unacknowledged, "delivered and not acknowledged"),
        ("redelivering", thresholds.redelivered, info.redelivered, "delivered more than once and not acknowledged"),
    )
    for state, levels, number, what in rows:
        if severity := levels.judged(number):
            yield Finding(state, severity, f"{counted(number, 'message')} {what}")


def percentages(info: StreamInfo) -> dict[str, float]:
    """How full a stream is, for each limit it has."""
    used = {"max_bytes": info.bytes, "max_msgs": info.messages}
    limits = {"max_bytes": info.config["max_bytes"], "max_msgs": info.config["max_msgs"]}
    return {name: 100 * used[name] / limit for name, limit in limits.items() if limit > 0}


def silent_ns(info: StreamInfo, now: datetime) -> int:
    """Nanoseconds since the last message, or since the stream was made if there has been none."""
    last = max(parse_time(time) for time in (info.created, info.last_time) if time)
    return max(0, int(now.timestamp() * _SECOND_NS) - last)


def _nearly_full(info: StreamInfo, thresholds: StreamThresholds) -> Iterator[Finding]:
    """Each limit the stream is about to reach, and what happens then; nothing where that is intended."""
    what_follows = consequence(info.config)
    if what_follows is None and not thresholds.judges_rings:
        return
    for limit, percent in percentages(info).items():
        if severity := thresholds.used.judged(percent):
            text = f"{percent:.0f} % of {limit}" + (f": {what_follows}" if what_follows else "")
            yield Finding("nearly full", severity, text)
