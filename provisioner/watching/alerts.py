"""The alerts of a catalogue: what is wrong, as queries of our metrics; a group for the servers, one for each stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from provisioner.catalogue.model import Catalogue
from provisioner.rules.fullness import consequence
from provisioner.schema.consumer_model import ConsumerSpec, by_stream
from provisioner.schema.model import StreamSpec
from provisioner.status.certificates import WARNED_BEFORE
from provisioner.status.replicas import MOST_LAG
from provisioner.status.thresholds import (
    CONSUMER_THRESHOLDS,
    STREAM_THRESHOLDS,
    FewestLevels,
    Levels,
    of_consumer,
    of_stream,
)
from provisioner.units import format_duration
from provisioner.watching import metrics as m

WARNING: Final = "warning"
CRITICAL: Final = "critical"
SERVERS: Final = "servers"
_DAY_S: Final = 86_400
_LAST_DAYS: Final = 7
_STALE_S: Final = 600
# A service may work on what it has for minutes before it asks for more.
_STOPPED_AFTER: Final = "10m"
# What tells the alerts of one name apart.
_WHOM: Final = "stream, consumer, limit"
_FIRING: Final = 'ALERTS{{alertname="{name}", severity="critical", alertstate="firing"}}'
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes:
        name: what is wrong, in Prometheus' way of writing it.
        severity: warning or critical.
        query: has a value while it is wrong.
        summary: a line for whoever is woken, with Prometheus' templates.
        labels: whom it is about.
        is_held: whether it has to be wrong for a while before somebody is told.
    """

    name: str
    severity: str
    query: str
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict)
    is_held: bool = True


@dataclass(frozen=True)
class Group:
    """The alerts of one stream, or of the servers; ``purpose`` is the stream's."""

    name: str
    alerts: tuple[Alert, ...]
    purpose: str = ""


def groups(catalogue: Catalogue) -> tuple[Group, ...]:
    """Every alert that a catalogue asks for."""
    consumers = by_stream(catalogue.consumers)
    return (
        Group(SERVERS, tuple(_servers())),
        *(
            Group(spec.name, tuple(_about(spec, consumers.get(spec.name, ()))), spec.purpose)
            for spec in catalogue.streams
        ),
    )


def _about(spec: StreamSpec, consumers: Iterable[ConsumerSpec]) -> Iterator[Alert]:
    """The alerts of a stream and of its consumers; the labels tell apart what has one name."""
    labels = {"stream": spec.name}
    yield from (replace(alert, labels=labels) for alert in _stream(spec))
    for consumer in consumers:
        yield from (replace(alert, labels={**labels, "consumer": consumer.name}) for alert in _consumer(consumer))


def _servers() -> Iterator[Alert]:
    up, collected, ends = m.SERVER_UP.full_name, m.COLLECTED.full_name, f"{m.CERTIFICATE_END.full_name} - time()"
    first, last = int(WARNED_BEFORE.total_seconds()), _LAST_DAYS * _DAY_S
    left = "certificate of {{ $labels.url }} ends in {{ $value | humanizeDuration }}"
    refused = "the certificate of {{ $labels.url }} has ended, or is not to be trusted"
    slow = f"increase({m.SLOW_CONSUMERS.full_name}[10m]) > 0"
    cut_off = "{{ $labels.node }} has cut off clients that read too slowly"
    yield Alert(
        "MetricsMissing", CRITICAL, f"absent({up})", "nothing is known of any stream: streams metrics is silent"
    )
    yield Alert(
        "MetricsStale", WARNING, f"time() - {collected} > {_STALE_S}", "streams metrics has not run for 10 minutes"
    )
    yield Alert("ServerDown", CRITICAL, f"{up} == 0", "JetStream does not answer")
    yield Alert("NodeDown", WARNING, f"{m.NODE_UP.full_name} == 0", "node {{ $labels.node }} is down")
    yield Alert("SlowConsumers", WARNING, slow, cut_off, is_held=False)
    yield Alert("CertificateRefused", CRITICAL, f"{m.CERTIFICATE_VALID.full_name} == 0", refused)
    yield Alert("CertificateEnds", WARNING, f"{ends} < {first} > {last}", left, is_held=False)
    yield Alert("CertificateEnds", CRITICAL, f"{ends} <= {last}", left, is_held=False)


def _stream(spec: StreamSpec) -> Iterator[Alert]:
    of = {"stream": spec.name}
    thresholds = of_stream(spec, STREAM_THRESHOLDS)
    drift = "{{ $labels.stream }} differs from the catalogue; streams drift says in what"
    full = "{{ $labels.stream }} uses {{ $value | humanizePercentage }} of {{ $labels.limit }}"
    yield Alert("StreamMissing", CRITICAL, f"{m.STREAM_PRESENT.of(**of)} == 0", _of_stream("is not on the server"))
    yield Alert("StreamDrifted", WARNING, f"{m.STREAM_DRIFTED.of(**of)} == 1", drift)
    if thresholds.judges_rings or consequence(spec.config):
        used = Levels(*(level and level / 100 for level in (thresholds.used.warning, thresholds.used.critical)))
        yield from _levels("StreamNearlyFull", used, m.STREAM_USED.of(**of), full)
    few = "{{ $labels.stream }} has only {{ $value }} messages"
    yield from _levels("StreamNearlyEmpty", thresholds.messages, m.STREAM_MESSAGES.of(**of), few)
    if thresholds.expect_every:
        seconds = thresholds.expect_every / _SECOND_NS
        silence = f"time() - {m.STREAM_LAST.of(**of)} > {seconds:g}"
        expected = format_duration(thresholds.expect_every)
        quiet = f"has had no new message for {{{{ $value | humanizeDuration }}}}; one is expected every {expected}"
        yield Alert("StreamQuiet", WARNING, silence, _of_stream(quiet), is_held=False)
    if spec.config["num_replicas"] > 1:
        yield from _replicas(of)


def _replicas(of: Mapping[str, str]) -> Iterator[Alert]:
    replica = "replica {{ $labels.replica }} of {{ $labels.stream }}"
    yield Alert("StreamWithoutLeader", CRITICAL, f"{m.STREAM_LEADER.of(**of)} == 0", _of_stream("has no leader"))
    yield Alert("ReplicaDown", WARNING, f"{m.REPLICA_UP.of(**of)} == 0", f"{replica} is not heard of")
    is_heard = f"{m.REPLICA_UP.of(**of)} == 1"
    behind = f"{m.REPLICA_LAG.of(**of)} > {MOST_LAG} and {m.REPLICA_CURRENT.of(**of)} == 0 and {is_heard}"
    yield Alert("ReplicaBehind", WARNING, behind, f"{replica} is {{{{ $value }}}} entries behind")


def _consumer(spec: ConsumerSpec) -> Iterator[Alert]:
    who = "{{ $labels.stream }}/{{ $labels.consumer }}"
    of = {"stream": spec.stream, "consumer": spec.name}
    drift = f"{who} differs from the catalogue; streams drift says in what"
    stopped = f"{who} gets nothing, and {{{{ $value }}}} messages or more wait"
    yield Alert("ConsumerMissing", CRITICAL, f"{m.CONSUMER_PRESENT.of(**of)} == 0", f"{who} is not on the server")
    yield Alert("ConsumerDrifted", WARNING, f"{m.CONSUMER_DRIFTED.of(**of)} == 1", drift)
    if not spec.config["pause_until"]:
        yield Alert(
            "ConsumerStopped", WARNING, _stopped(m.CONSUMER_LAG.of(**of), m.CONSUMER_DELIVERIES.of(**of)), stopped
        )
    thresholds = of_consumer(spec, CONSUMER_THRESHOLDS)
    rows = (
        ("ConsumerBehind", thresholds.lag, m.CONSUMER_LAG, "yet to be delivered"),
        ("ConsumerUnacknowledged", thresholds.unacknowledged, m.CONSUMER_UNACKNOWLEDGED, "not acknowledged"),
        ("ConsumerRedelivering", thresholds.redelivered, m.CONSUMER_REDELIVERED, "delivered more than once"),
    )
    for name, levels, metric, what in rows:
        yield from _levels(name, levels, metric.of(**of), f"{who} has {{{{ $value }}}} messages {what}")


def _stopped(lag: str, deliveries: str) -> str:
    """Something to deliver all the while, and no delivery; not of figures that are younger than that."""
    waits = f"min_over_time({lag}[{_STOPPED_AFTER}]) > 0"
    return f"{waits} and increase({deliveries}[{_STOPPED_AFTER}]) == 0 and {lag} offset {_STOPPED_AFTER}"


def _levels(name: str, levels: Levels, figure: str, summary: str) -> Iterator[Alert]:
    """Of the two only the graver one at a time; at a level is beyond it.

    The warning holds until the critical one fires, not until that begins to wait. Prometheus evaluates the rules of a
    group one after the other, so that the warning, the second, sees what has become of the first.
    """
    beyond = "<=" if isinstance(levels, FewestLevels) else ">="
    if levels.critical is not None:
        yield Alert(name, CRITICAL, f"{figure} {beyond} {levels.critical:.12g}", summary)
    if levels.warning is not None:
        graver = "" if levels.critical is None else f" unless on ({_WHOM}) {_FIRING.format(name=name)}"
        yield Alert(name, WARNING, f"{figure} {beyond} {levels.warning:.12g}{graver}", summary)


def _of_stream(what: str) -> str:
    return f"{{{{ $labels.stream }}}} {what}"
