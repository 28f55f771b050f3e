"""The alert rules of one stream: which there are follows from its limits and from what is to be watched of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.rules.fullness import consequence
from provisioner.schema.model import StreamSpec
from provisioner.status.thresholds import STREAM_THRESHOLDS, Levels, of_stream
from provisioner.units import format_duration
from provisioner.watching import names
from provisioner.watching.rule import CRITICAL, WARNING, Rule

_SECOND_NS: Final = 1_000_000_000
_LIMITS: Final = {
    "max_bytes": (names.STREAM_BYTES, names.STREAM_MAX_BYTES),
    "max_msgs": (names.STREAM_MESSAGES, names.STREAM_MAX_MSGS),
}


def stream_rules(spec: StreamSpec) -> Iterator[Rule]:
    """Those of a stream without its consumers."""
    yield from _always(spec.name)
    yield from _full(spec)
    yield from _quiet(spec)
    yield from _empty(spec)


def _always(stream: str) -> Iterator[Rule]:
    yield Rule(
        alert="StreamMissing",
        when=f"{names.STREAM_MISSING.of(stream=stream)} == 1",
        lasting="1m",
        severity=CRITICAL,
        summary=f"{stream} is not on the server",
        action="look who deleted it, then run pulumi up, which makes it again",
    )
    yield Rule(
        alert="StreamDrifted",
        when=f"{names.STREAM_DRIFTED.of(stream=stream)} == 1",
        lasting="5m",
        severity=WARNING,
        summary=f"{stream} is not as the catalogue says",
        action="streams drift says what differs; pulumi up puts it right",
    )
    yield Rule(
        alert="StreamWithoutLeader",
        when=f"{names.HAS_LEADER.of(stream=stream)} == 0",
        lasting="1m",
        severity=CRITICAL,
        summary=f"{stream} has no leader: it takes and gives no message",
        action="start the nodes that are down; streams status says which",
    )
    yield Rule(
        alert="StreamReplicaBehind",
        when=f"{names.REPLICA_CURRENT.of(stream=stream)} == 0",
        lasting="2m",
        severity=WARNING,
        summary=f"{stream}: the replica on {{{{ $labels.node }}}} has not all there is",
        action="see whether that node is down, or its disk is slow",
    )


def _full(spec: StreamSpec) -> Iterator[Rule]:
    """Of a stream that is meant to be full, only where the catalogue asks for it."""
    thresholds, what_follows = of_stream(spec, STREAM_THRESHOLDS), consequence(spec.config)
    if what_follows is None and not thresholds.judges_rings:
        return
    stated = {"max_bytes": spec.config["max_bytes"], "max_msgs": spec.config["max_msgs"]}
    for limit, (used, most) in _LIMITS.items():
        if stated[limit] > 0:
            share = f"100 * {used.of(stream=spec.name)} / {most.of(stream=spec.name)}"
            for severity, level in _levels(thresholds.used):
                yield Rule(
                    alert="StreamNearlyFull",
                    when=f"{share} >= {level:g}",
                    lasting="1m",
                    severity=severity,
                    summary=f'{spec.name} is at {{{{ $value | printf "%.0f" }}}} % of {limit}'
                    + (f": {what_follows}" if what_follows else ""),
                    action=f"raise its {limit}, or let its messages go sooner",
                    labels={"limit": limit},
                )


def _quiet(spec: StreamSpec) -> Iterator[Rule]:
    expected = of_stream(spec, STREAM_THRESHOLDS).expect_every
    if expected:
        yield Rule(
            alert="StreamQuiet",
            when=f"time() - {names.LAST_MESSAGE.of(stream=spec.name)} > {expected / _SECOND_NS:g}",
            severity=WARNING,
            summary=f"{spec.name} has had no new message for {{{{ $value | humanizeDuration }}}}",
            action=f"one is expected every {format_duration(expected)}: see whether its publishers run",
        )


def _empty(spec: StreamSpec) -> Iterator[Rule]:
    for severity, level in _levels(of_stream(spec, STREAM_THRESHOLDS).messages):
        yield Rule(
            alert="StreamNearlyEmpty",
            when=f"{names.STREAM_MESSAGES.of(stream=spec.name)} <= {level:g}",
            lasting="1m",
            severity=severity,
            summary=f"{spec.name} has only {{{{ $value }}}} messages",
            action="see who removed them, and whether its publishers run",
        )


def _levels(levels: Levels) -> Iterator[tuple[str, float]]:
    stated = ((WARNING, levels.warning), (CRITICAL, levels.critical))
    return ((severity, level) for severity, level in stated if level is not None)
