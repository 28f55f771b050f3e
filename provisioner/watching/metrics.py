"""Every metric of ours, one row each: rules, dashboards and documents have their names from here.

The names follow Prometheus' conventions: base units, ``_timestamp_seconds`` for moments, 1 and 0 for yes and no.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "streams_"


@dataclass(frozen=True)
class Metric:
    """One figure: a gauge, or a counter, which only rises until the server starts anew.

    Attributes:
        name: without the prefix, and without the suffix of a counter.
        labels: in their order.
        help: one line.
    """

    name: str
    labels: tuple[str, ...]
    help: str
    is_counter: bool = False

    def of(self, **labels: str) -> str:
        """The query for the series with these labels, whatever is in the names of somebody else's streams."""
        pairs = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())
        return f"{self.full_name}{{{','.join(pairs)}}}"

    @property
    def full_name(self) -> str:
        """As Prometheus has it."""
        return f"{PREFIX}{self.name}{'_total' if self.is_counter else ''}"


_STREAM: Final = ("stream",)
_LIMIT: Final = ("stream", "limit")
_REPLICA: Final = ("stream", "replica")
_CONSUMER: Final = ("stream", "consumer")

SERVER_UP: Final = Metric("server_up", (), "Whether JetStream answers; without an answer there is nothing of streams.")
NODE_UP: Final = Metric("node_up", ("node",), "Whether a node of the cluster is up.")
SLOW_CONSUMERS: Final = Metric(
    "slow_consumers", ("node",), "Clients cut off because they read too slowly.", is_counter=True
)
CERTIFICATE_END: Final = Metric("certificate_end_timestamp_seconds", ("url",), "When a certificate that is shown ends.")
CERTIFICATE_VALID: Final = Metric("certificate_valid", ("url",), "Whether a certificate that is shown is accepted.")
UNMANAGED: Final = Metric("unmanaged", (), "Streams that the catalogue neither names nor ignores.")
LAST_UP: Final = Metric("last_up_timestamp_seconds", (), "When the last successful pulumi up ended.")
COLLECTED: Final = Metric("collected_timestamp_seconds", (), "When the server was asked.")

STREAM_PRESENT: Final = Metric("stream_present", _STREAM, "Whether a stream of the catalogue is on the server.")
STREAM_DRIFTED: Final = Metric("stream_drifted", _STREAM, "Whether its settings differ from the catalogue's.")
STREAM_MESSAGES: Final = Metric("stream_messages", _STREAM, "Messages stored.")
STREAM_BYTES: Final = Metric("stream_bytes", _STREAM, "Bytes stored.")
STREAM_USED: Final = Metric("stream_used_ratio", _LIMIT, "Share of a limit that is used, of max_bytes and max_msgs.")
STREAM_LIMIT: Final = Metric("stream_limit", _LIMIT, "A limit on the server: bytes, messages, seconds.")
STREAM_WANTED: Final = Metric("stream_limit_wanted", _LIMIT, "The same as the catalogue says.")
STREAM_RECEIVED: Final = Metric(
    "stream_received", _STREAM, "Messages ever stored: the sequence of the newest.", is_counter=True
)
STREAM_FIRST: Final = Metric("stream_first_message_timestamp_seconds", _STREAM, "When the oldest message was stored.")
STREAM_LAST: Final = Metric(
    "stream_last_message_timestamp_seconds", _STREAM, "When the newest message was stored; if none, the stream made."
)
STREAM_LEADER: Final = Metric("stream_has_leader", _STREAM, "In a cluster: whether there is one.")
REPLICA_UP: Final = Metric("stream_replica_up", _REPLICA, "In a cluster: whether the leader hears of a replica.")
REPLICA_CURRENT: Final = Metric("stream_replica_current", _REPLICA, "In a cluster: whether it has all it should have.")
REPLICA_LAG: Final = Metric("stream_replica_lag", _REPLICA, "In a cluster: entries that a replica is behind.")

CONSUMER_PRESENT: Final = Metric("consumer_present", _CONSUMER, "Whether a consumer of the catalogue is on its stream.")
CONSUMER_DRIFTED: Final = Metric("consumer_drifted", _CONSUMER, "Whether its settings differ from the catalogue's.")
CONSUMER_LAG: Final = Metric("consumer_lag", _CONSUMER, "Messages yet to be delivered.")
CONSUMER_UNACKNOWLEDGED: Final = Metric(
    "consumer_unacknowledged", _CONSUMER, "Messages delivered and not yet acknowledged."
)
CONSUMER_REDELIVERED: Final = Metric(
    "consumer_redelivered", _CONSUMER, "Messages delivered more than once and not yet acknowledged."
)
CONSUMER_DELIVERIES: Final = Metric(
    "consumer_deliveries", _CONSUMER, "Messages ever delivered, second deliveries included.", is_counter=True
)

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
