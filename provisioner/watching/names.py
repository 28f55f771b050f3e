"""Every metric of ``streams metrics``, one row each: what it is called, what tells one series from the next, its unit.

Alert rules and the dashboard take names from here, so that none of them asks for one that nobody exports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: with its unit, as Prometheus would have it.
        doc: one line, which is its HELP.
        labels: what tells one series from the next.
        counts: whether it only rises, until whatever counts starts again.
    """

    name: str
    doc: str
    labels: tuple[str, ...] = ()
    counts: bool = False

    def of(self, **labels: str) -> str:
        """PromQL for the series with these labels."""
        return f"{self.name}{{{', '.join(f'{name}={quoted(value)}' for name, value in labels.items())}}}"


def quoted(text: str) -> str:
    """A string of PromQL: names of streams are somebody else's."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


_STREAM: Final = ("stream",)
_REPLICA: Final = ("stream", "node")
_CONSUMER: Final = ("stream", "consumer")

ASKED: Final = Metric("streams_asked_timestamp_seconds", "When the server was asked.")
ANSWERED: Final = Metric("streams_server_answered", "Whether JetStream's API answered: 1 or 0.")
LAST_UP: Final = Metric("streams_last_up_timestamp_seconds", "When the last successful pulumi up ended.")

STREAM_MISSING: Final = Metric(
    "streams_stream_missing", "Whether it is in the catalogue and not on the server.", _STREAM
)
STREAM_DRIFTED: Final = Metric("streams_stream_drifted", "Whether it differs from the catalogue.", _STREAM)
STREAM_BYTES: Final = Metric("streams_stream_bytes", "Bytes stored.", _STREAM)
STREAM_MESSAGES: Final = Metric("streams_stream_messages", "Messages stored.", _STREAM)
STREAM_MAX_BYTES: Final = Metric("streams_stream_max_bytes", "Most bytes stored, as the server has it.", _STREAM)
STREAM_MAX_MSGS: Final = Metric("streams_stream_max_msgs", "Most messages stored, as the server has it.", _STREAM)
WANTED_MAX_BYTES: Final = Metric("streams_stream_wanted_max_bytes", "Most bytes, as the catalogue has it.", _STREAM)
WANTED_MAX_MSGS: Final = Metric("streams_stream_wanted_max_msgs", "Most messages, as the catalogue has it.", _STREAM)
LAST_SEQUENCE: Final = Metric("streams_stream_last_sequence", "Sequence of the last message.", _STREAM)
FIRST_MESSAGE: Final = Metric(
    "streams_stream_first_message_timestamp_seconds", "When the oldest message was stored.", _STREAM
)
LAST_MESSAGE: Final = Metric(
    "streams_stream_last_message_timestamp_seconds",
    "When the last message was stored, or the stream was made.",
    _STREAM,
)
HAS_LEADER: Final = Metric("streams_stream_has_leader", "In a cluster: whether it has a leader.", _STREAM)
REPLICA_CURRENT: Final = Metric("streams_stream_replica_current", "Whether a replica has all there is.", _REPLICA)
REPLICA_LAG: Final = Metric("streams_stream_replica_lag", "Entries of the log behind the leader.", _REPLICA)

CONSUMER_MISSING: Final = Metric(
    "streams_consumer_missing", "Whether it is in the catalogue and not on the server.", _CONSUMER
)
CONSUMER_DRIFTED: Final = Metric("streams_consumer_drifted", "Whether it differs from the catalogue.", _CONSUMER)
CONSUMER_PENDING: Final = Metric("streams_consumer_pending", "Messages yet to be delivered.", _CONSUMER)
CONSUMER_UNACKNOWLEDGED: Final = Metric(
    "streams_consumer_unacknowledged", "Messages delivered and not acknowledged.", _CONSUMER
)
CONSUMER_REDELIVERED: Final = Metric(
    "streams_consumer_redelivered", "Messages delivered more than once and not acknowledged.", _CONSUMER
)
CONSUMER_DELIVERED: Final = Metric(
    "streams_consumer_delivered_sequence", "Stream sequence of the last delivery.", _CONSUMER
)
CONSUMER_DELIVERIES: Final = Metric(
    "streams_consumer_deliveries_total", "Deliveries, second ones included.", _CONSUMER, counts=True
)

NODE_UP: Final = Metric("streams_node_up", "Whether a server is up: 1 or 0.", ("node",))
NODE_SLOW_CONSUMERS: Final = Metric(
    "streams_node_slow_consumers_total", "Connections that were closed as too slow.", ("node",), counts=True
)
CERTIFICATE_END: Final = Metric(
    "streams_certificate_end_timestamp_seconds", "When the certificate that is shown ends.", ("url",)
)
CERTIFICATE_ACCEPTED: Final = Metric(
    "streams_certificate_accepted", "Whether the certificate that is shown is accepted.", ("url",)
)

METRICS: Final = tuple(each for each in tuple(globals().values()) if isinstance(each, Metric))
