"""Checks of consumers, the catalogue's against the server's: values in, results out, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provisioner.plan.consumer_diff import ConsumerChange, plan_consumer
from provisioner.plan.diff import spelled
from provisioner.schema.consumer_fields import CONSUMER_FIELD
from provisioner.schema.consumer_model import ConsumerInfo, ConsumerSpec, keeper_name
from provisioner.schema.model import StreamConfig, StreamSpec
from provisioner.status.figures import consumer_findings
from provisioner.status.listing import NO_ANSWER, Listing
from provisioner.status.server_checks import Result, Severity, worst
from provisioner.status.thresholds import CONSUMER_THRESHOLDS, ConsumerThresholds, of_consumer, unreadable


@dataclass(frozen=True)
class ConsumerHealth:
    """One consumer of the catalogue.

    Attributes:
        state: ok, drift, behind, redelivering, missing, half replaced, no leader or unknown.
        thresholds: what its figures were compared with.
    """

    spec: ConsumerSpec
    state: str
    results: tuple[Result, ...]
    info: ConsumerInfo | None = None
    changes: tuple[ConsumerChange, ...] = ()
    thresholds: ConsumerThresholds = CONSUMER_THRESHOLDS

    @property
    def severity(self) -> Severity:
        """The gravest of its results."""
        return worst(result.severity for result in self.results)


def examine_consumers(
    specs: Iterable[ConsumerSpec],
    listing: Listing,
    streams: Iterable[StreamSpec] = (),
    thresholds: ConsumerThresholds = CONSUMER_THRESHOLDS,
) -> tuple[ConsumerHealth, ...]:
    """Each consumer of the catalogue; of a stream that is missing or silent, only the stream is told.

    Args:
        specs: the catalogue's.
        listing: what the server says.
        streams: as they are wanted; their limits are the consumers' defaults, those of another are what it has.
        thresholds: of a consumer of which the catalogue says no others.
    """
    wanted = {stream.name: stream.config for stream in streams}
    return tuple(_found(spec, listing, wanted.get(spec.stream), thresholds) for spec in specs)


def _found(
    spec: ConsumerSpec, listing: Listing, wanted: StreamConfig | None, default: ConsumerThresholds
) -> ConsumerHealth:
    stream, present = (listing.streams or {}).get(spec.stream), listing.consumers.get(spec.stream)
    if stream is None or present is None:
        return ConsumerHealth(spec, "unknown", ())
    if spec.label in listing.leaderless:
        return ConsumerHealth(spec, "no leader", (Result(spec.label, Severity.CRITICAL, NO_ANSWER),))
    if keeper_name(spec.name) in present:
        text = "half replaced by a run that was cut short; its position is kept, and up completes it"
        return ConsumerHealth(spec, "half replaced", (Result(spec.label, Severity.WARNING, text),))
    if spec.name not in present:
        return ConsumerHealth(spec, "missing", (Result(spec.label, Severity.CRITICAL, "is not on the server"),))
    thresholds = of_consumer(spec, default)
    return _compared(spec, present[spec.name], wanted or stream.config, thresholds)


def _compared(
    spec: ConsumerSpec, info: ConsumerInfo, stream: StreamConfig, thresholds: ConsumerThresholds
) -> ConsumerHealth:
    changes = plan_consumer(info.config, spec.config, stream).changes
    findings = [*consumer_findings(info, thresholds)]
    drift = [Result(spec.label, Severity.WARNING, consumer_compared(change)) for change in changes]
    found = [Result(spec.label, finding.severity, finding.text) for finding in findings]
    found += [Result(spec.label, Severity.WARNING, text) for text in unreadable(spec.config["metadata"])]
    healthy = Result(spec.label, Severity.OK, "is as the catalogue says")
    state = "drift" if changes else findings[0].state if findings else "ok"
    return ConsumerHealth(spec, state, (*drift, *found) or (healthy,), info, changes, thresholds)


def consumer_compared(change: ConsumerChange) -> str:
    """``ack_wait: 1m (live: 30s)``."""
    field = CONSUMER_FIELD[change.field]
    return f"{change.field}: {spelled(field, change.new)} (live: {spelled(field, change.old)})"


def plain_consumer(consumer: ConsumerHealth) -> dict[str, Any]:
    """The form that the docstring of ``report`` describes."""
    info = consumer.info
    return {
        "stream": consumer.spec.stream,
        "name": consumer.spec.name,
        "purpose": consumer.spec.purpose or None,
        "severity": consumer.severity.name,
        "state": consumer.state,
        "differences": [_plain_change(change) for change in consumer.changes],
        "pending": info.pending if info else None,
        "unacknowledged": info.unacknowledged if info else None,
        "acknowledged": info.acknowledged if info else None,
        "redelivered": info.redelivered if info else None,
        "waiting": info.waiting if info else None,
    }


def _plain_change(change: ConsumerChange) -> dict[str, Any]:
    shown = CONSUMER_FIELD[change.field].type.show
    wanted, live = (None if value is None else shown(value) for value in (change.new, change.old))
    return {"field": change.field, "wanted": wanted, "live": live}
