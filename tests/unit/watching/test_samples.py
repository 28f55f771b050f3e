"""A status report as figures: what was learned has a sample, and what was not has none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from provisioner.catalogue.reader import parse
from provisioner.errors import Unreachable
from provisioner.jetstream.certificates import Certificate
from provisioner.jetstream.monitoring import Answer
from provisioner.schema.config import with_fields
from provisioner.schema.consumer_model import ConsumerInfo
from provisioner.schema.model import StreamInfo
from provisioner.status.consumers import examine_consumers
from provisioner.status.listing import Listing
from provisioner.status.replicas import Placement, Replica
from provisioner.status.report import Report
from provisioner.status.server_checks import api_result
from provisioner.status.stream_checks import examine
from provisioner.watching.samples import samples_of

CATALOGUE = parse(
    "ORDERS: {subjects: [orders], max_bytes: 1000, consumers: {billing: , audit: }}\nRETURNS: {subjects: [returns]}\n",
    "streams.yaml",
)
ORDERS, RETURNS = CATALOGUE.streams
BILLING = CATALOGUE.consumers[0]
NOW = datetime(2026, 1, 8, tzinfo=UTC)
CREATED = "2026-01-01T00:00:00Z"
CREATED_S = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
INFO = StreamInfo(ORDERS.config, CREATED, messages=7, bytes=500, last_sequence=9)
CONSUMER = ConsumerInfo(
    "ORDERS", BILLING.config, CREATED, delivered=4, unacknowledged=1, pending=3, redelivered=2, deliveries=6
)
ACCOUNT = {"storage": 0, "limits": {"max_storage": -1}, "streams": 1, "consumers": 1}


def figures(listing: Listing, last_up: float | None = None, **report: Any) -> dict[str, float]:
    """The samples under names without what all begin with: ``stream_bytes ORDERS``."""
    made = Report(
        server=(api_result(listing.account),),
        streams=examine(CATALOGUE.streams, listing, {}),
        consumers=examine_consumers(CATALOGUE.consumers, listing, CATALOGUE.streams),
        **report,
    )
    samples = samples_of(made, NOW, last_up)
    return {" ".join((s.metric.name.removeprefix("streams_"), *s.labels.values())): s.value for s in samples}


def of(found: Mapping[str, float], name: str) -> dict[str, float]:
    """Those of one stream, consumer or node."""
    return {key.partition(" ")[0]: value for key, value in found.items() if key.partition(" ")[2] == name}


def test_a_stream_as_it_is() -> None:
    """What it holds and may hold; of no message there is no first one, and the last is when the stream was made."""
    listing = Listing(account=ACCOUNT, streams={"ORDERS": INFO}, consumers={"ORDERS": {}})
    found = figures(listing)
    assert {
        "stream_wanted_max_bytes": 1000,
        "stream_missing": 0,
        "stream_drifted": 0,
        "stream_max_bytes": 1000,
        "stream_bytes": 500,
        "stream_messages": 7,
        "stream_last_sequence": 9,
        "stream_last_message_timestamp_seconds": CREATED_S,
    } == of(found, "ORDERS")
    assert {"stream_missing": 1} == of(found, "RETURNS")
    assert {"asked_timestamp_seconds": NOW.timestamp(), "server_answered": 1} == of(found, "")


def test_a_changed_limit() -> None:
    """The live limit beside the wanted one, and that it is drift."""
    info = StreamInfo(with_fields(ORDERS.config, {"max_bytes": 400}), CREATED)
    found = of(figures(Listing(account=ACCOUNT, streams={"ORDERS": info})), "ORDERS")
    assert (1, 400, 1000) == tuple(
        found[name] for name in ("stream_drifted", "stream_max_bytes", "stream_wanted_max_bytes")
    )


def test_consumers() -> None:
    """The figures of one that is there, that another is missing, and nothing of a stream that is."""
    listing = Listing(account=ACCOUNT, streams={"ORDERS": INFO}, consumers={"ORDERS": {"billing": CONSUMER}})
    found = figures(listing)
    assert {
        "consumer_missing": 0,
        "consumer_drifted": 0,
        "consumer_pending": 3,
        "consumer_unacknowledged": 1,
        "consumer_redelivered": 2,
        "consumer_delivered_sequence": 4,
        "consumer_deliveries_total": 6,
    } == of(found, "ORDERS billing")
    assert {"consumer_missing": 1} == of(found, "ORDERS audit")
    assert [] == [name for name in figures(Listing(account=ACCOUNT, streams={})) if name.startswith("consumer")]


def test_a_server_that_does_not_answer() -> None:
    """That alone, and what the catalogue wants: no stream is called missing that nobody could ask for."""
    assert {
        "asked_timestamp_seconds": NOW.timestamp(),
        "server_answered": 0,
        "stream_wanted_max_bytes ORDERS": 1000,
    } == figures(Listing(account=Unreachable("no answer")))


def test_a_cluster() -> None:
    """The leader, and each replica's lag; of a stream without a leader that it has none, and of a silent one."""
    behind = Placement("one", (Replica("two", current=False, offline=False, silent_s=0, lag=12),))
    listing = Listing(account=ACCOUNT, streams={"ORDERS": INFO}, placements={"ORDERS": behind})
    found = figures(listing)
    assert {"stream_replica_current": 0, "stream_replica_lag": 12} == of(found, "ORDERS two")
    assert 1 == found["stream_has_leader ORDERS"]
    leaderless = Listing(account=ACCOUNT, streams={"ORDERS": INFO}, placements={"ORDERS": Placement("")})
    assert 0 == figures(leaderless)["stream_has_leader ORDERS"]
    silent = Listing(account=ACCOUNT, streams={}, silent={"ORDERS": Unreachable("no leader")})
    assert {"stream_wanted_max_bytes": 1000, "stream_has_leader": 0} == of(figures(silent), "ORDERS")


def test_the_server() -> None:
    """Its slow consumers and certificates, one that is refused among them, and when the last up was."""
    certificates = (Certificate("tls://a", NOW + timedelta(days=3)), Certificate("tls://b", problem="expired"))
    answers = {"/varz": Answer({"server_name": "one", "slow_consumers": 4})}
    found = figures(Listing(account=ACCOUNT, streams={}), 17.5, certificates=certificates, answers=answers)
    assert {"node_up": 1, "node_slow_consumers_total": 4} == of(found, "one")
    assert {
        "certificate_accepted": 1,
        "certificate_end_timestamp_seconds": (NOW + timedelta(days=3)).timestamp(),
    } == of(found, "tls://a")
    assert {"certificate_accepted": 0} == of(found, "tls://b")
    assert 17.5 == found["last_up_timestamp_seconds"]
