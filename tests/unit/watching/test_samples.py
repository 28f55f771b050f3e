"""A report as samples: what is known has one, what is not has none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from provisioner.catalogue.reader import parse
from provisioner.errors import Unreachable
from provisioner.jetstream.certificates import Certificate
from provisioner.jetstream.monitoring import Answer
from provisioner.schema.consumer_model import ConsumerInfo
from provisioner.schema.model import StreamInfo
from provisioner.status.consumers import examine_consumers
from provisioner.status.listing import Listing
from provisioner.status.nodes import DOWN, UNKNOWN, UP, Cluster, Node
from provisioner.status.replicas import Placement, Replica
from provisioner.status.report import Report
from provisioner.status.server_checks import Result, Severity
from provisioner.status.stream_checks import examine
from provisioner.watching.exposition import text
from provisioner.watching.metrics import METRICS
from provisioner.watching.samples import Sample, samples

CATALOGUE = parse(
    """\
ORDERS: {subjects: [orders.*], max_age: 1d, max_msgs: 10, consumers: {billing: , gone: }}
GONE: {subjects: [gone]}
SILENT: {subjects: [silent]}
""",
    "streams.yaml",
)
NOW = datetime(2026, 1, 8, tzinfo=UTC)
ORDERS = StreamInfo(
    {**CATALOGUE.streams[0].config, "max_age": 3600 * 10**9},
    "2026-01-01T00:00:00Z",
    messages=5,
    bytes=500,
    first_time="2026-01-07T23:00:00Z",
    last_time="2026-01-07T23:59:30.5Z",
    last_sequence=7,
)
BILLING = ConsumerInfo(
    "ORDERS", CATALOGUE.consumers[0].config, "then", unacknowledged=2, pending=3, redelivered=1, deliveries=9
)
PLACED = Placement(
    "n1",
    (
        Replica("n2", current=True, offline=False, silent_s=0.1, lag=0),
        Replica("n3", current=False, offline=True, silent_s=60, lag=40),
    ),
)
LISTING = Listing(
    account={},
    streams={"ORDERS": ORDERS},
    silent={"SILENT": Unreachable("no answer")},
    placements={"ORDERS": PLACED},
    consumers={"ORDERS": {"billing": BILLING}},
)


def report(listing: Listing = LISTING, api: Severity = Severity.OK) -> Report:
    """What a status finds with this listing."""
    return Report(
        # A node that hangs is a slow consumer to the others: routes are not told of as clients.
        answers={
            "/varz": Answer(
                {"server_name": "n1", "slow_consumers": 7, "slow_consumer_stats": {"clients": 4, "routes": 3}}
            )
        },
        certificates=(
            Certificate("tls://n1", ends=NOW + timedelta(days=9)),
            Certificate("tls://n2", problem="refused"),
        ),
        server=(Result("$JS.API.INFO", api, "text"),),
        streams=examine(CATALOGUE.streams, listing, {}),
        consumers=examine_consumers(CATALOGUE.consumers, listing, CATALOGUE.streams),
    )


def taken(of: Report, last_up: datetime | None = None) -> dict[tuple[str, ...], float]:
    """Values by name and labels."""
    return {_key(sample): sample.value for sample in samples(of, NOW, last_up)}


def _key(sample: Sample) -> tuple[str, ...]:
    return (sample.metric.name, *sample.labels)


def test_everything_that_a_report_says() -> None:
    """Of a missing stream there is that alone, and of one that does not answer that nobody leads it."""
    assert {
        ("collected_timestamp_seconds",): NOW.timestamp(),
        ("server_up",): 1,
        ("last_up_timestamp_seconds",): NOW.timestamp() - 60,
        ("unmanaged",): 0,
        ("certificate_end_timestamp_seconds", "tls://n1"): NOW.timestamp() + 9 * 86_400,
        ("certificate_valid", "tls://n1"): 1,
        ("certificate_valid", "tls://n2"): 0,
        ("slow_consumers", "n1"): 4,
        ("stream_present", "ORDERS"): 1,
        ("stream_drifted", "ORDERS"): 1,
        ("stream_messages", "ORDERS"): 5,
        ("stream_bytes", "ORDERS"): 500,
        ("stream_received", "ORDERS"): 7,
        ("stream_last_message_timestamp_seconds", "ORDERS"): NOW.timestamp() - 29.5,
        ("stream_first_message_timestamp_seconds", "ORDERS"): NOW.timestamp() - 3600,
        ("stream_used_ratio", "ORDERS", "max_msgs"): 0.5,
        ("stream_limit", "ORDERS", "max_msgs"): 10,
        ("stream_limit", "ORDERS", "max_age"): 3600,
        ("stream_limit_wanted", "ORDERS", "max_msgs"): 10,
        ("stream_limit_wanted", "ORDERS", "max_age"): 86_400,
        ("stream_has_leader", "ORDERS"): 1,
        ("stream_replica_up", "ORDERS", "n2"): 1,
        ("stream_replica_lag", "ORDERS", "n2"): 0,
        ("stream_replica_current", "ORDERS", "n2"): 1,
        ("stream_replica_current", "ORDERS", "n3"): 0,
        ("stream_replica_up", "ORDERS", "n3"): 0,
        ("stream_replica_lag", "ORDERS", "n3"): 40,
        ("stream_present", "GONE"): 0,
        ("stream_has_leader", "SILENT"): 0,
        ("consumer_present", "ORDERS", "billing"): 1,
        ("consumer_drifted", "ORDERS", "billing"): 0,
        ("consumer_lag", "ORDERS", "billing"): 3,
        ("consumer_unacknowledged", "ORDERS", "billing"): 2,
        ("consumer_redelivered", "ORDERS", "billing"): 1,
        ("consumer_deliveries", "ORDERS", "billing"): 9,
        ("consumer_present", "ORDERS", "gone"): 0,
    } == taken(report(), NOW - timedelta(minutes=1))


def test_a_server_that_does_not_answer() -> None:
    """Of its streams nothing is known, and nothing is said."""
    unasked = report(Listing(account=Unreachable("no answer")), Severity.UNKNOWN)
    without_monitoring = Report(server=unasked.server, streams=unasked.streams, consumers=unasked.consumers)

    assert {("collected_timestamp_seconds",): NOW.timestamp(), ("server_up",): 0} == taken(without_monitoring)


def test_an_empty_stream_is_as_old_as_itself() -> None:
    """It has no oldest message, and its silence began when it was made."""
    empty = StreamInfo(
        ORDERS.config, ORDERS.created, first_time="0001-01-01T00:00:00Z", last_time="0001-01-01T00:00:00Z"
    )
    values = taken(report(Listing(account={}, streams={"ORDERS": empty})))

    assert NOW.timestamp() - 7 * 86_400 == values["stream_last_message_timestamp_seconds", "ORDERS"]
    assert ("stream_first_message_timestamp_seconds", "ORDERS") not in values


def test_the_nodes_of_a_cluster() -> None:
    """Each that somebody knows of; the figures of its monitoring are its own."""
    varz = {"/varz": Answer({"server_name": "n1", "slow_consumers": 1})}
    nodes = (Node("n1", UP, answers=varz), Node("n2", DOWN), Node("n3", UNKNOWN))
    values = taken(Report(cluster=Cluster("c", 3, 2, "n1", nodes)))

    assert {("node_up", "n1"): 1, ("node_up", "n2"): 0, ("slow_consumers", "n1"): 1} == {
        key: value for key, value in values.items() if key[0] in {"node_up", "slow_consumers"}
    }


def test_the_text_of_a_scrape() -> None:
    """Every metric with its help and type, its labels by name; none without a sample."""
    lines = text(samples(report(), NOW)).splitlines()

    assert 'streams_consumer_deliveries_total{consumer="billing",stream="ORDERS"} 9.0' in lines
    assert "# TYPE streams_consumer_deliveries_total counter" in lines
    assert "# HELP streams_stream_present Whether a stream of the catalogue is on the server." in lines
    assert not [line for line in lines if "last_up" in line]


def test_each_metric_has_its_own_name() -> None:
    """In Prometheus' alphabet, with a line of help."""
    names = [metric.full_name for metric in METRICS]
    assert sorted(set(names)) == sorted(names)
    assert [] == [metric for metric in METRICS if not metric.help.endswith(".")]
