"""The alert rules of one consumer: figures only where the catalogue has levels for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.status.thresholds import CONSUMER_THRESHOLDS, ConsumerThresholds, Levels, of_consumer
from provisioner.watching import names
from provisioner.watching.names import Metric
from provisioner.watching.rule import CRITICAL, WARNING, Rule

# A consumer that has something to deliver and has delivered nothing for so long has nobody who asks.
STOPPED_AFTER: Final = "10m"


def consumer_rules(spec: ConsumerSpec) -> Iterator[Rule]:
    """Those of one consumer."""
    series = {"stream": spec.stream, "consumer": spec.name}
    yield Rule(
        alert="ConsumerMissing",
        when=f"{names.CONSUMER_MISSING.of(**series)} == 1",
        lasting="1m",
        severity=CRITICAL,
        summary=f"{spec.label} is not on the server",
        action="look who deleted it, then run pulumi up, which makes it again",
    )
    yield Rule(
        alert="ConsumerDrifted",
        when=f"{names.CONSUMER_DRIFTED.of(**series)} == 1",
        lasting="5m",
        severity=WARNING,
        summary=f"{spec.label} is not as the catalogue says",
        action="streams drift says what differs; pulumi up puts it right",
    )
    if not spec.config["pause_until"]:
        yield _stopped(spec)
    for what, metric, levels in _figures(of_consumer(spec, CONSUMER_THRESHOLDS)):
        yield from _beyond(spec, what, metric, levels)


def _stopped(spec: ConsumerSpec) -> Rule:
    series = {"stream": spec.stream, "consumer": spec.name}
    waiting, delivered = names.CONSUMER_PENDING.of(**series), names.CONSUMER_DELIVERED.of(**series)
    return Rule(
        alert="ConsumerStopped",
        when=f"min_over_time({waiting}[{STOPPED_AFTER}]) > 0 and changes({delivered}[{STOPPED_AFTER}]) == 0",
        lasting=STOPPED_AFTER,  # a range of a series that has just begun is shorter
        severity=WARNING,
        summary=f"{spec.label} delivers nothing, and {{{{ $value }}}} messages or more wait",
        action="see whether its service runs and acknowledges what it gets",
    )


def _figures(thresholds: ConsumerThresholds) -> Iterator[tuple[tuple[str, str], Metric, Levels]]:
    yield ("ConsumerBehind", "yet to be delivered"), names.CONSUMER_PENDING, thresholds.lag
    what = ("ConsumerUnacknowledged", "delivered and not acknowledged")
    yield what, names.CONSUMER_UNACKNOWLEDGED, thresholds.unacknowledged
    what = ("ConsumerRedelivering", "delivered more than once and not acknowledged")
    yield what, names.CONSUMER_REDELIVERED, thresholds.redelivered


def _beyond(spec: ConsumerSpec, what: tuple[str, str], metric: Metric, levels: Levels) -> Iterator[Rule]:
    alert, words = what
    series = metric.of(stream=spec.stream, consumer=spec.name)
    for severity, level in ((WARNING, levels.warning), (CRITICAL, levels.critical)):
        if level is not None:
            yield Rule(
                alert=alert,
                when=f"{series} >= {level:g}",
                lasting="1m",
                severity=severity,
                summary=f"{spec.label}: {{{{ $value }}}} messages are {words}",
                action="see whether its service keeps up, or gives up on some",
            )
