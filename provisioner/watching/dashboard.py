"""A dashboard for Grafana, of a catalogue: the estate at a glance, the flow through its streams, a row a stream.

The library is Grafana's own, made from its schemas: what has a wrong name or type does not get past mypy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync

from provisioner.catalogue.model import Catalogue
from provisioner.schema.consumer_model import ConsumerSpec, by_stream
from provisioner.schema.model import StreamSpec
from provisioner.watching import names
from provisioner.watching.panels import BYTES, PER_SECOND, SECONDS, SINCE, Graph, Number, Query
from provisioner.watching.rule import CRITICAL, WARNING

UID: Final = "prediction-streams"
# Grafana's: long enough for four scrapes.
_RANGE: Final = "$__rate_interval"

_GLANCE: Final = (
    Number("JetStream answers", Query(f"min({names.ANSWERED.name})"), least=1),
    Number("Missing streams", Query(f"sum({names.STREAM_MISSING.name})"), most=0),
    Number("Streams with drift", Query(f"sum({names.STREAM_DRIFTED.name}) or vector(0)"), most=0),
    Number(
        "Missing or drifted consumers",
        Query(f"sum({names.CONSUMER_MISSING.name}) + sum({names.CONSUMER_DRIFTED.name}) or vector(0)"),
        most=0,
    ),
    Number(
        "Critical alerts", Query(f'count(ALERTS{{alertstate="firing", severity="{CRITICAL}"}}) or vector(0)'), most=0
    ),
    Number("Warnings", Query(f'count(ALERTS{{alertstate="firing", severity="{WARNING}"}}) or vector(0)'), most=0),
    Number("Since the last up", Query(f"time() - max({names.LAST_UP.name})"), unit=SINCE),
    Number("The first certificate ends in", Query(f"min({names.CERTIFICATE_END.name}) - time()"), unit=SINCE),
)


def dashboard_text(catalogue: Catalogue) -> str:
    """The JSON that Grafana provisions or imports."""
    built = _dashboard(catalogue).build()
    return json.dumps(built, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


def _dashboard(catalogue: Catalogue) -> grafana.Dashboard:
    board = (
        grafana.Dashboard("JetStream streams")
        .uid(UID)
        .tags(["nats", "jetstream"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(grafana.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for number in _GLANCE:
        board.with_panel(number.built(24 // len(_GLANCE)))
    board.with_row(grafana.Row("From the first stream to the last consumer"))
    for graph in _flow(catalogue):
        board.with_panel(graph.built(12))
    consumers = by_stream(catalogue.consumers)
    for spec in catalogue.streams:
        board.with_row(grafana.Row(f"{spec.name}: {spec.purpose}" if spec.purpose else spec.name))
        for graph in _stream(spec, consumers.get(spec.name, ())):
            board.with_panel(graph.built(6))
    return board


def _flow(catalogue: Catalogue) -> tuple[Graph, Graph]:
    """Every hop in the catalogue's order, which is the order in which data passes through."""
    hops = [
        Query(names.CONSUMER_PENDING.of(stream=each.stream, consumer=each.name), each.label)
        for each in catalogue.consumers
    ]
    return (
        Graph(
            "Messages stored per second",
            tuple(Query(_stored(spec), spec.name) for spec in catalogue.streams),
            PER_SECOND,
        ),
        Graph("Messages that wait for each consumer", tuple(hops)),
    )


def _stream(spec: StreamSpec, consumers: Sequence[ConsumerSpec]) -> tuple[Graph, ...]:
    of = {"stream": spec.name}
    delivered = f"sum(rate({names.CONSUMER_DELIVERIES.of(**of)}[{_RANGE}]))"
    waiting = [Query(names.CONSUMER_PENDING.of(consumer=each.name, **of), each.name) for each in consumers]
    unacknowledged = [
        Query(names.CONSUMER_UNACKNOWLEDGED.of(consumer=each.name, **of), f"{each.name}, unacknowledged")
        for each in consumers
    ]
    return (
        Graph("Messages in and out", (Query(_stored(spec), "in"), Query(delivered, "out")), PER_SECOND),
        Graph(
            "Bytes, of the most there may be",
            (Query(names.STREAM_BYTES.of(**of), "stored"), Query(names.STREAM_MAX_BYTES.of(**of), "max_bytes")),
            BYTES,
        ),
        Graph("Age of the oldest message", (Query(f"time() - {names.FIRST_MESSAGE.of(**of)}", "oldest"),), SECONDS),
        Graph("Messages that consumers have yet to get", (*waiting, *unacknowledged)),
    )


def _stored(spec: StreamSpec) -> str:
    return f"rate({names.LAST_SEQUENCE.of(stream=spec.name)}[{_RANGE}])"
