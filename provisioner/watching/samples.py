"""The samples of ``streams metrics``: a status report as figures. Values in, values out, no I/O.

What was not to be learned has no sample: a figure of 0 would be a lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from provisioner.jetstream.certificates import Certificate
from provisioner.schema.consumer_model import ConsumerInfo
from provisioner.schema.model import StreamConfig, StreamInfo
from provisioner.status.consumers import ConsumerHealth
from provisioner.status.nodes import UNKNOWN as UNKNOWN_NODE
from provisioner.status.nodes import UP
from provisioner.status.replicas import Placement
from provisioner.status.report import Report, moment
from provisioner.status.server_checks import API_RESULT, Severity
from provisioner.status.stream_checks import StreamHealth
from provisioner.units import parse_time
from provisioner.watching import names
from provisioner.watching.names import Metric

_SECOND_NS: Final = 1_000_000_000
_SILENT: Final = "silent"
_UNKNOWN: Final = "unknown"
_PARTIAL: Final = "partial"
_MISSING: Final = "missing"


@dataclass(frozen=True)
class Sample:
    """One figure of a metric, with the values of its labels."""

    metric: Metric
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def samples_of(report: Report, now: datetime, last_up: float | None) -> Iterator[Sample]:
    """Every sample of a report.

    Args:
        report: what the server said.
        now: when it was asked.
        last_up: when the last successful up ended, in seconds since 1970; None where that is not known.
    """
    yield Sample(names.ASKED, now.timestamp())
    yield Sample(names.ANSWERED, float(_has_answered(report)))
    if last_up is not None:
        yield Sample(names.LAST_UP, last_up)
    yield from _nodes(report)
    for certificate in report.certificates:
        yield from _certificate(certificate)
    for stream in report.streams:
        yield from _stream(stream)
    for consumer in report.consumers:
        yield from _consumer(consumer)


def _has_answered(report: Report) -> bool:
    return any(r.name.endswith(API_RESULT) and r.severity in {Severity.OK, Severity.WARNING} for r in report.server)


def _nodes(report: Report) -> Iterator[Sample]:
    """Those of a cluster, or the one server whose monitoring was asked."""
    if report.cluster:
        for node in report.cluster.nodes:
            labels = {"node": node.name}
            if node.state != UNKNOWN_NODE:
                yield Sample(names.NODE_UP, float(node.state == UP), labels)
            yield from _slow_consumers(node.answers["/varz"].body if "/varz" in node.answers else {}, labels)
    elif "/varz" in report.answers and (body := report.answers["/varz"].body):
        labels = {"node": str(body.get("server_name"))}
        yield Sample(names.NODE_UP, 1, labels)
        yield from _slow_consumers(body, labels)


def _slow_consumers(varz: Mapping[str, object], labels: Mapping[str, str]) -> Iterator[Sample]:
    number = varz.get("slow_consumers")
    if isinstance(number, int):
        yield Sample(names.NODE_SLOW_CONSUMERS, number, labels)


def _certificate(certificate: Certificate) -> Iterator[Sample]:
    labels = {"url": certificate.url}
    yield Sample(names.CERTIFICATE_ACCEPTED, float(certificate.ends is not None), labels)
    if certificate.ends:
        yield Sample(names.CERTIFICATE_END, certificate.ends.timestamp(), labels)


def _stream(stream: StreamHealth) -> Iterator[Sample]:
    labels = {"stream": stream.spec.name}
    yield from _limits(stream.spec.config, names.WANTED_MAX_BYTES, names.WANTED_MAX_MSGS, labels)
    if stream.state == _SILENT:
        yield Sample(names.HAS_LEADER, 0, labels)
    if stream.state in {_SILENT, _UNKNOWN}:
        return
    yield Sample(names.STREAM_MISSING, float(stream.info is None), labels)
    if stream.info:
        yield Sample(names.STREAM_DRIFTED, float(bool(stream.changes) or stream.state == _PARTIAL), labels)
        yield from _limits(stream.info.config, names.STREAM_MAX_BYTES, names.STREAM_MAX_MSGS, labels)
        yield from _held(stream.info, labels)
    if stream.placement:
        yield from _placement(stream.placement, labels)


def _limits(config: StreamConfig, size: Metric, number: Metric, labels: Mapping[str, str]) -> Iterator[Sample]:
    stated = ((size, config["max_bytes"]), (number, config["max_msgs"]))
    return (Sample(metric, limit, labels) for metric, limit in stated if limit > 0)


def _held(info: StreamInfo, labels: Mapping[str, str]) -> Iterator[Sample]:
    yield Sample(names.STREAM_BYTES, info.bytes, labels)
    yield Sample(names.STREAM_MESSAGES, info.messages, labels)
    yield Sample(names.LAST_SEQUENCE, info.last_sequence, labels)
    if first := moment(info.first_time):
        yield Sample(names.FIRST_MESSAGE, parse_time(first) / _SECOND_NS, labels)
    times = [parse_time(time) for time in (info.created, moment(info.last_time)) if time]
    yield Sample(names.LAST_MESSAGE, max(times) / _SECOND_NS, labels)


def _placement(where: Placement, labels: Mapping[str, str]) -> Iterator[Sample]:
    yield Sample(names.HAS_LEADER, float(bool(where.leader)), labels)
    for replica in where.replicas if where.leader else ():
        on_node = {**labels, "node": replica.name}
        yield Sample(names.REPLICA_CURRENT, float(replica.current and not replica.is_lost), on_node)
        yield Sample(names.REPLICA_LAG, replica.lag, on_node)


def _consumer(consumer: ConsumerHealth) -> Iterator[Sample]:
    if consumer.state == _UNKNOWN:
        return
    labels = {"stream": consumer.spec.stream, "consumer": consumer.spec.name}
    yield Sample(names.CONSUMER_MISSING, float(consumer.state == _MISSING), labels)
    if consumer.state != _MISSING:
        yield Sample(names.CONSUMER_DRIFTED, float(bool(consumer.changes) or not consumer.info), labels)
    if consumer.info:
        yield from (Sample(metric, value, labels) for metric, value in _figures(consumer.info))


def _figures(info: ConsumerInfo) -> Iterator[tuple[Metric, int]]:
    yield names.CONSUMER_PENDING, info.pending
    yield names.CONSUMER_UNACKNOWLEDGED, info.unacknowledged
    yield names.CONSUMER_REDELIVERED, info.redelivered
    yield names.CONSUMER_DELIVERED, info.delivered
    yield names.CONSUMER_DELIVERIES, info.deliveries
