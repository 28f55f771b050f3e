"""What the services' file and the catalogue make together: who hands what to whom, in which order."""

from __future__ import annotations

from provisioner.catalogue.reader import load, parse
from provisioner.flow.hops import Hop, hops, sources
from provisioner.services.reader import read
from tests.support.services import SERVICES, STREAMS

COMMITTED = load(STREAMS)
FLOW = hops(read(SERVICES.read_text(), "services.yaml", COMMITTED), COMMITTED)


def test_the_committed_flow() -> None:
    """From market data to the client and back: every hop of the seed's picture."""
    assert [
        ("market-data-ingestion", "market.data.ohlcv", "MARKET_DATA/routing-agent"),
        ("market-data-ingestion", "market.data.ohlcv", "MARKET_DATA/prediction-agent-normal"),
        ("market-data-ingestion", "market.data.ohlcv", "MARKET_DATA/prediction-agent-earnings"),
        ("routing-agent", "routing.decision", "ROUTING/prediction-agent-normal"),
        ("routing-agent", "routing.decision", "ROUTING/prediction-agent-earnings"),
        ("prediction-agent-normal", "predictions.normal.smoke", "PREDICTIONS/explanation-worker"),
        ("prediction-agent-normal", "predictions.normal.smoke", "PREDICTIONS/api-gateway"),
        ("prediction-agent-earnings", "predictions.earnings.smoke", "PREDICTIONS/explanation-worker"),
        ("prediction-agent-earnings", "predictions.earnings.smoke", "PREDICTIONS/api-gateway"),
        ("explanation-worker", "explanations.response", "EXPLANATIONS/api-gateway"),
        ("api-gateway", "explanations.request", "EXPLANATIONS/explanation-worker"),
    ] == [(hop.publisher, hop.subject, f"{hop.stream}/{hop.consumer}") for hop in FLOW]


def test_each_consumer_of_the_catalogue_has_a_hop() -> None:
    """None of them waits for what nobody publishes."""
    assert {(spec.stream, spec.name) for spec in COMMITTED.consumers} == {(hop.stream, hop.consumer) for hop in FLOW}


def test_a_flow_that_begins_nowhere() -> None:
    """In a ring the first publisher begins; who is reached by nobody comes last."""
    streams = parse("{A: {subjects: [a.>]}, B: {subjects: ['b.*']}, C: {subjects: [c]}, D: {subjects: [d]}}", "s.yaml")
    text = (
        "services: {x: {publishes: [c], consumes: [D]}, y: {publishes: [d, 'a.>'], consumes: [C]},"
        " one: {publishes: ['a.>'], consumes: [{stream: B, subjects: [b.q]}]}, two: {publishes: [b.q], consumes: [A]}}"
    )
    flow = hops(read(text, "services.yaml", streams), streams)
    assert {"x"} == sources(flow)
    assert [
        Hop("x", "c", "C", "y", "y"),
        Hop("y", "a.smoke", "A", "two", "two"),
        Hop("y", "d", "D", "x", "x"),
        Hop("two", "b.q", "B", "one", "one"),
        Hop("one", "a.smoke", "A", "two", "two"),
    ] == list(flow)


def test_no_flow() -> None:
    """Nobody consumes what is published."""
    streams = parse("{A: {subjects: [a.b, a.c]}}", "s.yaml")
    text = "services: {x: {publishes: [a.b]}, y: {consumes: [{stream: A, subjects: [a.c]}]}}"
    assert ((), set()) == (hops(read(text, "services.yaml", streams), streams), sources(()))
