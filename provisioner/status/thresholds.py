"""From where on a figure is a warning, and from where it is critical: by options, by ``watch`` and by metadata.

What the catalogue says of one stream or consumer outranks an option, which is for all of them, and of the two ways to
say it ``watch`` outranks metadata. The keys of metadata are those that jsm.go's ``monitor`` reads for ``nats server
check``, with its comparisons: at a level is beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.model import StreamSpec
from provisioner.status.server_checks import Severity

MONITOR_PREFIX: Final = "io.nats.monitor."


@dataclass(frozen=True)
class Levels:
    """From which value on something is a warning, or critical; None for never."""

    warning: float | None = None
    critical: float | None = None

    def judged(self, value: float) -> Severity:
        """How grave a value is that should be small."""
        rows = ((self.critical, Severity.CRITICAL), (self.warning, Severity.WARNING))
        return next((severity for level, severity in rows if level is not None and value >= level), Severity.OK)


@dataclass(frozen=True)
class FewestLevels(Levels):
    """The same of a value that should be large."""

    def judged(self, value: float) -> Severity:
        """How grave a value is that should be large."""
        rows = ((self.critical, Severity.CRITICAL), (self.warning, Severity.WARNING))
        return next((severity for level, severity in rows if level is not None and value <= level), Severity.OK)


@dataclass(frozen=True, kw_only=True)
class StreamThresholds:
    """Those of a stream.

    Attributes:
        used: percent of max_bytes and max_msgs.
        judges_rings: whether that holds for a stream, too, that is meant to be full.
        expect_every: nanoseconds without a new message that are a warning; None for any.
        messages: how many it should have at least.
    """

    used: Levels = Levels(80, 95)
    judges_rings: bool = False
    expect_every: int | None = None
    messages: FewestLevels = FewestLevels()


@dataclass(frozen=True, kw_only=True)
class ConsumerThresholds:
    """Those of a consumer.

    Attributes:
        lag: messages that are yet to be delivered.
        unacknowledged: messages that are delivered and not acknowledged.
        redelivered: those of them that were delivered more than once.
    """

    lag: Levels = Levels()
    unacknowledged: Levels = Levels()
    redelivered: Levels = Levels()


STREAM_THRESHOLDS: Final = StreamThresholds()
CONSUMER_THRESHOLDS: Final = ConsumerThresholds()


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Those of every stream and consumer of which the catalogue does not say others."""

    stream: StreamThresholds = STREAM_THRESHOLDS
    consumer: ConsumerThresholds = CONSUMER_THRESHOLDS


Kind = TypeVar("Kind", StreamThresholds, ConsumerThresholds)

# A key of metadata -> which threshold, and which of its levels.
_STREAM_KEYS: Final = {"msgs-warn": ("messages", "warning"), "msgs-critical": ("messages", "critical")}
_CONSUMER_KEYS: Final = {
    "unprocessed-critical": ("lag", "critical"),
    "outstanding-ack-critical": ("unacknowledged", "critical"),
    "redelivery-critical": ("redelivered", "critical"),
}


def of_stream(spec: StreamSpec, default: StreamThresholds) -> StreamThresholds:
    """The thresholds of a stream: what the catalogue says of it, else the default."""
    found, watch = _overlaid(default, spec.config["metadata"], _STREAM_KEYS), spec.watch or {}
    if watch.get("expect_every"):
        found = replace(found, expect_every=watch["expect_every"])
    return replace(found, used=Levels(**watch["used"]), judges_rings=True) if watch.get("used") else found


def of_consumer(spec: ConsumerSpec, default: ConsumerThresholds) -> ConsumerThresholds:
    """The thresholds of a consumer: what the catalogue says of it, else the default."""
    found = _overlaid(default, spec.config["metadata"], _CONSUMER_KEYS)
    stated = {figure: Levels(**levels) for figure, levels in (spec.watch or {}).items() if levels}
    return replace(found, **stated)


def unreadable(metadata: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the keys of metadata that are thresholds here."""
    for key in (*_STREAM_KEYS, *_CONSUMER_KEYS):
        text = metadata.get(MONITOR_PREFIX + key, "0")
        if not text.isdecimal():
            yield f"metadata {MONITOR_PREFIX}{key}: {text!r} is not a number"


def _overlaid(default: Kind, metadata: Mapping[str, str], keys: Mapping[str, tuple[str, str]]) -> Kind:
    """As jsm.go has it, 0 is no threshold."""
    found = default
    for key, (name, level) in keys.items():
        text = metadata.get(MONITOR_PREFIX + key, "0")
        if text.isdecimal() and int(text):
            found = replace(found, **{name: replace(getattr(found, name), **{level: int(text)})})
    return found
