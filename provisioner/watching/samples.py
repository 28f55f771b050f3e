"""A report as samples of ``metrics``: what is not known has no sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from provisioner.jetstream.monitoring import Answer
from provisioner.schema.config import value_of
from provisioner.schema.model import StreamConfig, StreamInfo
from provisioner.status.consumers import ConsumerHealth
from provisioner.status.figures import percentages
from provisioner.status.nodes import UNKNOWN, UP
from provisioner.status.replicas import Placement
from provisioner.status.report import Report, moment
from provisioner.status.server_checks import Severity
from provisioner.status.stream_checks import StreamHealth
from provisioner.units import parse_time
from provisioner.watching import metrics as m

_SECOND_NS: Final = 1_000_000_000
# How the check of the API is called: with the prefix that the account has for it.
_API: Final = ".INFO"
# Limits, and how many of the field's units are one of the metric's.
_LIMITS: Final = {"max_bytes": 1, "max_msgs": 1, "max_age": _SECOND_NS}
# In these states nobody knows what there is.
_UNKNOWN: Final = {"unknown", "silent"}


class Sample(NamedTuple):
    """A value of a metric, and of its labels in their order."""

    metric: m.Metric
    value: float
    labels: tuple[str, ...] = ()


def samples(report: Report, now: datetime, last_up: datetime | None = None) -> Iterator[Sample]:
    """Everything that a report says in numbers.

    Args:
        report: on the catalogue's streams and their server.
        now: when the server was asked.
        last_up: when the last successful up ended, if that is known.
    """
    yield Sample(m.COLLECTED, now.timestamp())
    yield Sample(m.SERVER_UP, float(_answers(report)))
    if last_up:
        yield Sample(m.LAST_UP, last_up.timestamp())
    if _answers(report):
        yield Sample(m.UNMANAGED, len(report.listed))
    yield from _servers(report)
    for stream in report.streams:
        yield from _stream(stream)
    for consumer in report.consumers:
        yield from _consumer(consumer)


def _answers(report: Report) -> bool:
    """Whether JetStream's API does."""
    return any(each.name.endswith(_API) and each.severity < Severity.CRITICAL for each in report.server)


def _servers(report: Report) -> Iterator[Sample]:
    for certificate in report.certificates:
        yield Sample(m.CERTIFICATE_VALID, float(not certificate.problem), (certificate.url,))
        if certificate.ends:
            yield Sample(m.CERTIFICATE_END, certificate.ends.timestamp(), (certificate.url,))
    nodes = report.cluster.nodes if report.cluster else ()
    for node in nodes:
        if node.state != UNKNOWN:
            yield Sample(m.NODE_UP, float(node.state == UP), (node.name,))
    for answers in [node.answers for node in nodes] or [report.answers]:
        varz = answers.get("/varz", Answer()).body
        if "slow_consumers" in varz:
            yield Sample(m.SLOW_CONSUMERS, _slow_clients(varz), (str(varz.get("server_name", "")),))


def _stream(health: StreamHealth) -> Iterator[Sample]:
    label = (health.spec.name,)
    if health.state == "silent":
        yield Sample(m.STREAM_LEADER, 0, label)
    if health.state in _UNKNOWN:
        return
    yield Sample(m.STREAM_PRESENT, float(health.info is not None), label)
    if not health.info:
        return
    yield Sample(m.STREAM_DRIFTED, float(bool(health.changes)), label)
    yield from _figures(health.info)
    yield from _limits(m.STREAM_LIMIT, health.info.config)
    yield from _limits(m.STREAM_WANTED, health.spec.config)
    if health.placement:
        yield from _placed(health.spec.name, health.placement)


def _figures(info: StreamInfo) -> Iterator[Sample]:
    label = (info.config["name"],)
    yield Sample(m.STREAM_MESSAGES, info.messages, label)
    yield Sample(m.STREAM_BYTES, info.bytes, label)
    yield Sample(m.STREAM_RECEIVED, info.last_sequence, label)
    yield Sample(m.STREAM_LAST, _seconds(moment(info.last_time) or info.created), label)
    if info.messages and (first := moment(info.first_time)):
        yield Sample(m.STREAM_FIRST, _seconds(first), label)
    for limit, percent in percentages(info).items():
        yield Sample(m.STREAM_USED, percent / 100, (*label, limit))


def _limits(metric: m.Metric, config: StreamConfig) -> Iterator[Sample]:
    for limit, unit in _LIMITS.items():
        value: Any = value_of(config, limit)
        if value > 0:
            yield Sample(metric, value / unit, (config["name"], limit))


def _placed(stream: str, where: Placement) -> Iterator[Sample]:
    yield Sample(m.STREAM_LEADER, float(bool(where.leader)), (stream,))
    for replica in where.replicas:
        yield Sample(m.REPLICA_UP, float(not replica.is_lost), (stream, replica.name))
        yield Sample(m.REPLICA_CURRENT, float(replica.current), (stream, replica.name))
        yield Sample(m.REPLICA_LAG, replica.lag, (stream, replica.name))


def _consumer(health: ConsumerHealth) -> Iterator[Sample]:
    label = (health.spec.stream, health.spec.name)
    if health.state == "unknown":
        return
    yield Sample(m.CONSUMER_PRESENT, float(health.state != "missing"), label)
    if not health.info:
        return
    yield Sample(m.CONSUMER_DRIFTED, float(bool(health.changes)), label)
    yield Sample(m.CONSUMER_LAG, health.info.pending, label)
    yield Sample(m.CONSUMER_UNACKNOWLEDGED, health.info.unacknowledged, label)
    yield Sample(m.CONSUMER_REDELIVERED, health.info.redelivered, label)
    yield Sample(m.CONSUMER_DELIVERIES, health.info.deliveries, label)


def _seconds(time: str) -> float:
    return parse_time(time) / _SECOND_NS


def _slow_clients(varz: Mapping[str, Any]) -> float:
    """Not the routes, which a node that hangs is at the end of: nodes that are down are told of as such."""
    by_kind = varz.get("slow_consumer_stats") or {"clients": varz["slow_consumers"]}
    return float(by_kind["clients"])
