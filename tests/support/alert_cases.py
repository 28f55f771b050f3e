"""Series that are not as they should be, and the alerts that are to come of each; of its neighbour, none."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY_S = 86_400
ORDERS = {"stream": "ORDERS"}
BILLING = {"stream": "ORDERS", "consumer": "billing"}
ON_TWO = {"stream": "ORDERS", "node": "two"}
NODE = {"node": "one"}
URL = {"url": "tls://nats:4222"}


@dataclass(frozen=True)
class Case:
    """A series that is other than it should be, when that is judged, and the alerts that are to come; none: not yet."""

    name: str
    labels: dict[str, str]
    values: str
    minutes: int
    alerts: dict[str, dict[str, str]] = field(default_factory=dict)


def _one(alert: str, severity: str, summary: str, **labels: str) -> dict[str, dict[str, str]]:
    return {f"{alert} {severity}": {"summary": summary, **labels}}


def _full(limit: str, percent: int, *severities: str) -> dict[str, dict[str, str]]:
    text = f"ORDERS is at {percent} % of {limit}: then the oldest are dropped before max_age"
    return {f"StreamNearlyFull {each}": {"summary": text, "limit": limit} for each in severities}


def _behind(number: int, *severities: str) -> dict[str, dict[str, str]]:
    return {
        f"ConsumerBehind {each}": {"summary": f"ORDERS/billing: {number} messages are yet to be delivered"}
        for each in severities
    }


CASES = (
    Case("stream_missing", ORDERS, "1x60", 2, _one("StreamMissing", "critical", "ORDERS is not on the server")),
    Case("stream_missing", ORDERS, "1 0x60", 2),
    Case("stream_drifted", ORDERS, "1x60", 6, _one("StreamDrifted", "warning", "ORDERS is not as the catalogue says")),
    Case("stream_drifted", ORDERS, "1x60", 4),
    Case("stream_bytes", ORDERS, "790x60", 9),
    Case("stream_bytes", ORDERS, "800x60", 9, _full("max_bytes", 80, "warning")),
    Case("stream_bytes", ORDERS, "949x60", 9, _full("max_bytes", 95, "warning")),
    Case("stream_bytes", ORDERS, "950x60", 9, _full("max_bytes", 95, "warning", "critical")),
    Case("stream_bytes", ORDERS, "990x3 500x60", 9),
    Case("stream_messages", ORDERS, "960x60", 9, _full("max_msgs", 96, "warning", "critical")),
    Case("stream_messages", ORDERS, "5x60", 9, _one("StreamNearlyEmpty", "warning", "ORDERS has only 5 messages")),
    Case("stream_last_message_timestamp_seconds", ORDERS, "0x60", 5),
    Case(
        "stream_last_message_timestamp_seconds",
        ORDERS,
        "0x60",
        6,
        _one("StreamQuiet", "warning", "ORDERS has had no new message for 6m 0s"),
    ),
    Case(
        "stream_has_leader",
        ORDERS,
        "0x60",
        2,
        _one("StreamWithoutLeader", "critical", "ORDERS has no leader: it takes and gives no message"),
    ),
    Case("stream_replica_current", ON_TWO, "1x60", 9),
    Case(
        "stream_replica_current",
        ON_TWO,
        "0x60",
        9,
        _one("StreamReplicaBehind", "warning", "ORDERS: the replica on two has not all there is", node="two"),
    ),
    Case(
        "consumer_missing",
        BILLING,
        "1x60",
        2,
        _one("ConsumerMissing", "critical", "ORDERS/billing is not on the server"),
    ),
    Case(
        "consumer_drifted",
        BILLING,
        "1x60",
        6,
        _one("ConsumerDrifted", "warning", "ORDERS/billing is not as the catalogue says"),
    ),
    Case("consumer_pending", BILLING, "9x60", 2),
    Case("consumer_pending", BILLING, "10x60", 2, _behind(10, "warning")),
    Case("consumer_pending", BILLING, "100x60", 2, _behind(100, "warning", "critical")),
    Case(
        "consumer_unacknowledged",
        BILLING,
        "7x60",
        2,
        _one("ConsumerUnacknowledged", "warning", "ORDERS/billing: 7 messages are delivered and not acknowledged"),
    ),
    Case(
        "consumer_redelivered",
        BILLING,
        "3x60",
        2,
        _one(
            "ConsumerRedelivering",
            "critical",
            "ORDERS/billing: 3 messages are delivered more than once and not acknowledged",
        ),
    ),
    Case("consumer_delivered_sequence", BILLING, "7x60", 9),
    Case(
        "consumer_delivered_sequence",
        BILLING,
        "7x60",
        25,
        _one("ConsumerStopped", "warning", "ORDERS/billing delivers nothing, and 2 messages or more wait"),
    ),
    Case("consumer_pending", BILLING, "0x60", 25),
    Case("server_answered", {}, "0x60", 2, _one("ServerSilent", "critical", "JetStream does not answer")),
    Case(
        "asked_timestamp_seconds",
        {},
        "0x60",
        8,
        _one(
            "StreamsUnwatched",
            "critical",
            "nobody has asked the server for its streams for minutes: no other alert would come",
        ),
    ),
    Case(
        "asked_timestamp_seconds",
        {},
        "_x60",
        3,
        _one(
            "StreamsUnwatched",
            "critical",
            "nobody has asked the server for its streams for minutes: no other alert would come",
        ),
    ),
    Case("node_up", NODE, "1x60", 9),
    Case("node_up", NODE, "0x60", 2, _one("NodeDown", "warning", "the server one is down", node="one")),
    Case("node_slow_consumers_total", NODE, "4x60", 9),
    Case(
        "node_slow_consumers_total",
        NODE,
        "4x5 5x60",
        9,
        _one("SlowConsumers", "warning", "one has closed connections that did not keep up", node="one"),
    ),
    Case("certificate_end_timestamp_seconds", URL, f"{31 * DAY_S}x60", 9),
    Case(
        "certificate_end_timestamp_seconds",
        URL,
        f"{8 * DAY_S}x60",
        0,
        _one("CertificateEnds", "warning", "the certificate of tls://nats:4222 ends in 8d 0h 0m 0s", **URL),
    ),
    Case(
        "certificate_end_timestamp_seconds",
        URL,
        f"{6 * DAY_S}x60",
        0,
        {
            f"CertificateEnds {each}": {"summary": "the certificate of tls://nats:4222 ends in 6d 0h 0m 0s", **URL}
            for each in ("warning", "critical")
        },
    ),
    Case(
        "certificate_accepted",
        URL,
        "0x60",
        2,
        _one("CertificateRefused", "critical", "the certificate of tls://nats:4222 is not accepted", **URL),
    ),
)
