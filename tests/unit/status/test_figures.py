"""Figures against thresholds, one row a case: by options, by ``watch`` and by metadata."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from provisioner.catalogue import reader
from provisioner.schema.consumer_model import ConsumerInfo
from provisioner.schema.model import StreamInfo
from provisioner.status.consumers import examine_consumers
from provisioner.status.listing import Listing
from provisioner.status.nagios import nagios
from provisioner.status.rates import Look, Rates, rates
from provisioner.status.report import Report, plain
from provisioner.status.server_checks import Result, Severity
from provisioner.status.stream_checks import examine
from provisioner.status.thresholds import (
    ConsumerThresholds,
    FewestLevels,
    Levels,
    StreamThresholds,
    of_consumer,
    of_stream,
)

OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
NOW = datetime(2026, 1, 8, tzinfo=UTC)
CREATED = "2026-01-01T00:00:00Z"
MINUTE_NS = 60 * 10**9
CATALOGUE = reader.parse(
    "ORDERS: {subjects: [orders], max_age: 7d, max_msgs: 100, consumers: {billing: {}}}", "streams.yaml"
)
(SPEC,), (CONSUMER,) = CATALOGUE.streams, CATALOGUE.consumers


def info(**state: Any) -> StreamInfo:
    """The stream as the catalogue has it, with these figures."""
    return StreamInfo(SPEC.config, CREATED, **{"last_time": "2026-01-07T23:55:00Z", **state})


def consumer(**state: Any) -> ConsumerInfo:
    """The consumer as the catalogue has it, with these figures."""
    return ConsumerInfo("ORDERS", CONSUMER.config, CREATED, **state)


def listing(stream: StreamInfo, billing: ConsumerInfo | None = None) -> Listing:
    """A server that has them."""
    present = {"ORDERS": {"billing": billing or consumer()}}
    return Listing(account={}, streams={"ORDERS": stream}, consumers=present)


@pytest.mark.parametrize(
    ("thresholds", "state", "expected"),
    [
        ({}, {"messages": 79}, ("ok", OK, "is as the catalogue says")),
        (
            {},
            {"messages": 80},
            ("nearly full", WARNING, "80 % of max_msgs: then the oldest are dropped before max_age"),
        ),
        (
            {},
            {"messages": 95},
            ("nearly full", CRITICAL, "95 % of max_msgs: then the oldest are dropped before max_age"),
        ),
        ({"used": Levels(50)}, {"messages": 99}, ("nearly full", WARNING, None)),
        ({"used": Levels(None, 99)}, {"messages": 98}, ("ok", OK, None)),
        ({"expect_every": 5 * MINUTE_NS}, {}, ("ok", OK, None)),
        ({"expect_every": 4 * MINUTE_NS}, {}, ("quiet", WARNING, "no new message for 5m; one is expected every 4m")),
        ({"expect_every": 6 * 1440 * MINUTE_NS}, {"last_time": ""}, ("quiet", WARNING, None)),
        ({"expect_every": 8 * 1440 * MINUTE_NS}, {"last_time": ""}, ("ok", OK, None)),
    ],
)
def test_a_stream(
    thresholds: dict[str, Any], state: dict[str, Any], expected: tuple[str, Severity, str | None]
) -> None:
    """Each threshold on its case and not on its neighbour; without a message, since the stream was made."""
    health = examine([SPEC], listing(info(**state)), {}, StreamThresholds(**thresholds), NOW)[0]
    word, severity, text = expected
    assert (word, severity) == (health.state, health.severity)
    assert text in (None, health.results[0].text)


def test_a_ring_is_meant_to_be_full() -> None:
    """A stream that only keeps the newest is judged where that is asked for, and then without a consequence."""
    ring = replace(SPEC, config={**SPEC.config, "max_age": 0})
    live = Listing(account={}, streams={"ORDERS": replace(info(messages=100), config=ring.config)})
    assert "ok" == examine([ring], live, {}, StreamThresholds(used=Levels(1)))[0].state
    told = examine([ring], live, {}, StreamThresholds(judges_rings=True))[0].results
    assert [(CRITICAL, "100 % of max_msgs")] == [(result.severity, result.text) for result in told]


@pytest.mark.parametrize(
    ("thresholds", "state", "expected"),
    [
        ({}, {"pending": 10**9, "redelivered": 10**6}, ("ok", OK, "is as the catalogue says")),
        ({"lag": Levels(10)}, {"pending": 9}, ("ok", OK, "is as the catalogue says")),
        ({"lag": Levels(10)}, {"pending": 10}, ("behind", WARNING, "10 messages yet to be delivered")),
        ({"lag": Levels(10, 1000)}, {"pending": 1204}, ("behind", CRITICAL, "1,204 messages yet to be delivered")),
        (
            {"unacknowledged": Levels(1)},
            {"unacknowledged": 1},
            ("behind", WARNING, "1 message delivered and not acknowledged"),
        ),
        (
            {"redelivered": Levels(2)},
            {"redelivered": 2},
            ("redelivering", WARNING, "2 messages delivered more than once and not acknowledged"),
        ),
    ],
)
def test_a_consumer(thresholds: dict[str, Any], state: dict[str, int], expected: tuple[str, Severity, str]) -> None:
    """Each threshold on its case and not on its neighbour."""
    live = listing(info(), consumer(**state))
    health = examine_consumers([CONSUMER], live, [SPEC], ConsumerThresholds(**thresholds))[0]
    assert expected == (health.state, health.severity, health.results[0].text)


def test_metadata_outranks_options() -> None:
    """The keys of jsm.go's monitor in the catalogue's metadata; 0 is no threshold there."""
    metadata = {"io.nats.monitor.msgs-warn": "10", "io.nats.monitor.msgs-critical": "3", "other": "x"}
    stream = replace(SPEC, config={**SPEC.config, "metadata": metadata})
    assert FewestLevels(10, 3) == of_stream(stream, StreamThresholds()).messages
    metadata = {"io.nats.monitor.unprocessed-critical": "5", "io.nats.monitor.redelivery-critical": "0"}
    billing = replace(CONSUMER, config={**CONSUMER.config, "metadata": metadata})
    found = of_consumer(billing, ConsumerThresholds(lag=Levels(2, 100), redelivered=Levels(7)))
    assert (Levels(2, 5), Levels(7)) == (found.lag, found.redelivered)


@pytest.mark.parametrize(("messages", "severity"), [(11, OK), (10, WARNING), (3, CRITICAL)])
def test_too_few_messages(messages: int, severity: Severity) -> None:
    """As `nats server check stream` has it: so many, or fewer."""
    metadata = {"io.nats.monitor.msgs-warn": "10", "io.nats.monitor.msgs-critical": "3"}
    spec = replace(SPEC, config={**SPEC.config, "metadata": metadata})
    live = Listing(account={}, streams={"ORDERS": replace(info(messages=messages), config=spec.config)})
    assert severity == examine([spec], live, {})[0].severity


def test_watch_outranks_metadata_and_options() -> None:
    """What it does not say is as it was."""
    catalogue = reader.parse(
        """\
ORDERS:
  subjects: [orders]
  watch: {used: {warning: 50}}
  consumers:
    billing:
      metadata: {io.nats.monitor.unprocessed-critical: "7", io.nats.monitor.redelivery-critical: "3"}
      watch: {lag: {warning: 10}}
""",
        "streams.yaml",
    )
    (stream,), (billing,) = catalogue.streams, catalogue.consumers
    options = StreamThresholds(used=Levels(1, 2), expect_every=MINUTE_NS)
    assert StreamThresholds(used=Levels(50, 95), judges_rings=True, expect_every=MINUTE_NS) == of_stream(
        stream, options
    )
    expected = ConsumerThresholds(lag=Levels(10, None), unacknowledged=Levels(5), redelivered=Levels(None, 3))
    assert expected == of_consumer(billing, ConsumerThresholds(lag=Levels(1, 2), unacknowledged=Levels(5)))


def test_metadata_that_is_no_number() -> None:
    """Is told, instead of being passed over."""
    spec = replace(SPEC, config={**SPEC.config, "metadata": {"io.nats.monitor.msgs-warn": "many"}})
    live = Listing(account={}, streams={"ORDERS": replace(info(), config=spec.config)})
    told = [result.text for result in examine([spec], live, {})[0].results]
    assert ["metadata io.nats.monitor.msgs-warn: 'many' is not a number"] == told


def report(stream: StreamInfo, billing: ConsumerInfo | None = None, *server: Result) -> Report:
    """A report on them."""
    live = listing(stream, billing)
    lag = ConsumerThresholds(lag=Levels(5, 10))
    return Report(
        server=server,
        streams=examine([SPEC], live, {}),
        consumers=examine_consumers([CONSUMER], live, [SPEC], lag),
    )


def test_the_line_of_nagios() -> None:
    """As jsm.go prints it: the gravest first, then the figures with their levels; no bar but the one before them."""
    odd = Result("/varz", WARNING, "a|b\nc")
    line = nagios(report(info(messages=80, bytes=7, subjects=1, consumers=1), consumer(pending=12, waiting=3), odd))
    assert (
        "CRITICAL streams Crit:ORDERS/billing 12 messages yet to be delivered"
        r" Warn:/varz a/b\nc Warn:ORDERS 80 % of max_msgs: then the oldest are dropped before max_age |"
        " ORDERS.messages=80;80;95 ORDERS.bytes=7B ORDERS.subjects=1 ORDERS.consumers=1"
        " ORDERS/billing.ack_pending=0 ORDERS/billing.pull_waiting=3 ORDERS/billing.pending=12;5;10"
        " ORDERS/billing.redelivered=0" == line
    )
    assert nagios(report(info())).startswith("OK streams OK:1 stream as the catalogue says | ORDERS.messages=0;80;95 ")
    assert "OK streams" == nagios(Report())


def test_rates_between_two_looks() -> None:
    """Messages and deliveries a second; nothing of what was made again or goes back."""
    before = Look(report(info(last_sequence=10), consumer(deliveries=4)), 100.0)
    now = Look(report(info(last_sequence=30), consumer(deliveries=5)), 104.0)
    assert Rates(streams={"ORDERS": 5.0}, consumers={"ORDERS/billing": 0.25}) == rates(before, now)
    again = report(replace(info(last_sequence=50), created="2026-01-02T00:00:00Z"), consumer(deliveries=3))
    assert Rates() == rates(before, Look(again, 104.0))


def test_the_figures_of_a_consumer_in_the_plain_form() -> None:
    """Each of them, none null where it is known."""
    (told,) = plain(report(info(), consumer(pending=1, unacknowledged=2, redelivered=3, waiting=4)))["consumers"]
    assert (1, 2, 3, 4) == tuple(told[key] for key in ("pending", "unacknowledged", "redelivered", "waiting"))
