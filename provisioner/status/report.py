"""The whole picture as one value, and its plain-data form: what ``status --json`` prints.

The form is stable: keys are added, never renamed or removed.

    severity     OK, WARNING, CRITICAL or UNKNOWN: the gravest of the checks
    exit_code    0, 1, 2 or 3
    server       url, monitor_url, and the figures it was asked for; null what is not known
    checks       name, severity, text: one for each question to the server, one or more a stream
    streams      the catalogue's, in its order: name, purpose, severity, state (ok, drift,
                 nearly full, nearly empty, quiet, partial, missing, unknown; cut off, which hears nothing from an
                 origin), wanted
                 and live settings that differ from the server's defaults in a catalogue's words, differences
                 (field, wanted, live),
                 created, messages, bytes, max_bytes, max_msgs, first_time, last_time, consumers
    unmanaged    name, kind (stream, key-value bucket, object bucket)

Of a cluster there is more:

    cluster      name, size, quorum (how many nodes are needed), meta_leader, nodes (name, state: up, down or
                 unknown, meta_leader, monitor_url, version, uptime, problem); null without monitoring
    streams      leader, replicas (name, current, offline, lag: entries behind the leader, silent_s: seconds since
                 the leader has heard of it); the states degraded, no quorum, no leader and silent

Of a catalogue with consumers there is:

    consumers    stream, name, purpose, severity, state (ok, drift, behind, redelivering, missing, no leader, half
                 replaced; unknown with its stream), differences, pending (yet to be delivered), unacknowledged
                 (delivered), acknowledged (the stream sequence up to which everything is), redelivered (delivered
                 more than once and not acknowledged), waiting (requests of clients)

Of a server that speaks TLS there is:

    certificates  url, ends (a time), problem: of each that is shown; ends is null where it is refused

Of one stream alone there is:

    detail       subjects (subject, messages; none of more than 10,000), origins (name, api, filters, lag, silent_s,
                 error), unmanaged_consumers (name, pending, unacknowledged)

Sizes are bytes, -1 where there is no limit; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provisioner.jetstream.certificates import Certificate
from provisioner.jetstream.monitoring import Answer
from provisioner.plan.diff import Change
from provisioner.rules.normalise import normalise
from provisioner.rules.stream_names import Unmanaged
from provisioner.schema.fields import BY_NAME, FIELDS
from provisioner.schema.model import StreamInfo
from provisioner.schema.types import Wire, show_fields
from provisioner.status.certificates import plain_certificates
from provisioner.status.consumers import ConsumerHealth, plain_consumer
from provisioner.status.detail import Detail, plain_detail
from provisioner.status.nodes import Cluster, plain_cluster
from provisioner.status.replicas import plain_placement
from provisioner.status.server_checks import Result, Severity, worst
from provisioner.status.stream_checks import StreamHealth
from provisioner.units import parse_time

_NO_MESSAGE: Final = parse_time("0001-01-01T00:00:00Z")

# Each of the server's figures: the endpoint that has it, and where in its answer.
_FIGURES: Final = {
    "server_name": ("/varz", "server_name"),
    "version": ("/varz", "version"),
    "uptime": ("/varz", "uptime"),
    "slow_consumers": ("/varz", "slow_consumers"),
    "connections": ("/connz?limit=1", "total"),
    "subscriptions": ("/subsz", "num_subscriptions"),
    "storage": ("/jsz", "storage"),
    "reserved_storage": ("/jsz", "reserved_storage"),
    "max_storage": ("/jsz", "config", "max_storage"),
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that a status shows, in either form.

    Attributes:
        url: the server's client URL.
        monitor_url: its monitoring URL.
        answers: those of its monitoring, by endpoint.
        cluster: the nodes, where there are some and their monitoring is known.
        certificates: those that the server and its monitoring show.
        server: the results of its checks.
        streams: the catalogue's streams.
        consumers: its consumers.
        unmanaged: the streams beside them.
        listed: those of them that people are shown: the catalogue does not ignore them.
        detail: of the only stream, where it is looked at in depth.
    """

    url: str | None = None
    monitor_url: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    cluster: Cluster | None = None
    certificates: tuple[Certificate, ...] = ()
    server: tuple[Result, ...] = ()
    streams: tuple[StreamHealth, ...] = ()
    consumers: tuple[ConsumerHealth, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    listed: tuple[Unmanaged, ...] = ()
    detail: Detail | None = None

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of every check, the server's first."""
        of_streams = (result for stream in self.streams for result in stream.results)
        of_consumers = (result for consumer in self.consumers for result in consumer.results)
        return (*self.server, *of_streams, *of_consumers)

    @property
    def is_cluster(self) -> bool:
        """Whether the monitoring, or a stream, tells of a cluster."""
        return bool(self.cluster) or any(stream.placement for stream in self.streams)

    @property
    def severity(self) -> Severity:
        """The gravest of all; its value is the exit code."""
        return worst(result.severity for result in self.results)


def plain(report: Report) -> dict[str, Any]:
    """The form this module's docstring describes."""
    figures = {name: _figure(report.answers, *path) for name, path in _FIGURES.items()}
    return {
        "severity": report.severity.name,
        "exit_code": report.severity.value,
        "server": {"url": report.url, "monitor_url": report.monitor_url, **figures},
        **({"cluster": plain_cluster(report.cluster)} if report.is_cluster else {}),
        **({"certificates": plain_certificates(report.certificates)} if report.certificates else {}),
        "checks": [{"name": r.name, "severity": r.severity.name, "text": r.text} for r in report.results],
        "streams": [
            _plain_stream(stream) | (plain_placement(stream.placement) if report.is_cluster else {})
            for stream in report.streams
        ],
        **({"consumers": [*map(plain_consumer, report.consumers)]} if report.consumers else {}),
        "unmanaged": [{"name": stream.name, "kind": stream.kind} for stream in report.unmanaged],
        **({"detail": plain_detail(report.detail)} if report.detail else {}),
    }


def moment(time: str) -> str | None:
    """A server's time; for the messages of an empty stream it has one in year 1, which is None here."""
    return time if time and parse_time(time) > _NO_MESSAGE else None


def _figure(answers: Mapping[str, Answer], endpoint: str, *path: str) -> object:
    value: object = answers.get(endpoint, Answer()).body
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _plain_stream(stream: StreamHealth) -> dict[str, Any]:
    return {
        "name": stream.spec.name,
        "purpose": stream.spec.purpose or None,
        "severity": stream.severity.name,
        "state": stream.state,
        "wanted": show_fields(normalise(stream.spec.config), FIELDS),
        "live": show_fields(normalise(stream.info.config), FIELDS) if stream.info else None,
        "differences": [_plain_change(change) for change in stream.changes],
        **_plain_state(stream.info),
    }


def _plain_change(change: Change) -> dict[str, Any]:
    return {
        "field": change.field,
        "wanted": _canonical(change.field, change.new),
        "live": _canonical(change.field, change.old),
    }


def _canonical(field_name: str, wire: Wire) -> Wire:
    return None if wire is None else BY_NAME[field_name].type.show(wire)


def _plain_state(info: StreamInfo | None) -> dict[str, Any]:
    if info is None:
        return dict.fromkeys(_STATE)
    return {key: read(info) for key, read in _STATE.items()}


_STATE: Final[Mapping[str, Any]] = {
    "created": lambda info: info.created,
    "messages": lambda info: info.messages,
    "bytes": lambda info: info.bytes,
    "max_bytes": lambda info: info.config["max_bytes"],
    "max_msgs": lambda info: info.config["max_msgs"],
    "first_time": lambda info: moment(info.first_time),
    "last_time": lambda info: moment(info.last_time),
    "consumers": lambda info: info.consumers,
}
