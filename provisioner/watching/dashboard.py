"""A Grafana dashboard of a catalogue: the flow through its streams, the estate, and a row for each stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueColorMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode

from provisioner.catalogue.model import Catalogue
from provisioner.schema.model import StreamSpec
from provisioner.watching import metrics as m

UID: Final = "jetstream-streams"
# What Grafana fills in: the data source that is chosen above the dashboard.
_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${source}")
_WIDTH: Final = 24
_HEIGHT: Final = 7
_LOW: Final = 4
_RATE: Final = "[$__rate_interval]"


@dataclass(frozen=True)
class Graph:
    """One panel: its queries are pairs of a query and of what a line is called."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    description: str = ""
    most: float | None = None


@dataclass(frozen=True)
class Figure:
    """One number; from ``bad`` on it is red, or below it where few are bad."""

    title: str
    unit: str
    query: str
    bad: float
    few_are_bad: bool = False


def dashboard_json(catalogue: Catalogue) -> str:
    """The dashboard, as Grafana takes it."""
    board = (
        dashboard.Dashboard("JetStream streams")
        .uid(UID)
        .tags(["nats", "jetstream"])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("30s")
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    _add(board, "Flow: what comes in, what goes out, what waits", _panels(_flow()))
    _add(board, "Estate", [_figure(each, _WIDTH // len(_ESTATE)) for each in _ESTATE])
    for spec in catalogue.streams:
        _add(board, _title(spec), _panels(_of_stream(spec.name)))
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _add(board: dashboard.Dashboard, title: str, panels: Iterable[timeseries.Panel | stat.Panel]) -> None:
    board.with_row(dashboard.Row(title))
    for panel in panels:
        board.with_panel(panel)


def _title(spec: StreamSpec) -> str:
    return f"{spec.name}: {spec.purpose}" if spec.purpose else spec.name


def _flow() -> Iterator[Graph]:
    """Every stream, in the catalogue's order, and every hop from a stream to a consumer."""
    hop = "{{stream}} → {{consumer}}"
    yield Graph("Messages in", "cps", ((f"rate({m.STREAM_RECEIVED.full_name}{_RATE})", "{{stream}}"),))
    yield Graph("Messages out", "cps", ((f"rate({m.CONSUMER_DELIVERIES.full_name}{_RATE})", hop),))
    yield Graph("Waiting at each hop", "short", ((m.CONSUMER_LAG.full_name, hop),), "Messages yet to be delivered")


_ESTATE: Final = (
    Figure("JetStream", "bool_yes_no", m.SERVER_UP.full_name, 1, few_are_bad=True),
    Figure("Missing", "short", f"sum(1 - {m.STREAM_PRESENT.full_name}) or vector(0)", 1),
    Figure("Drifted", "short", f"sum({m.STREAM_DRIFTED.full_name}) or vector(0)", 1),
    Figure("Alerts", "short", 'count(ALERTS{alertstate="firing"}) or vector(0)', 1),
    Figure("Fullest stream", "percentunit", f"max({m.STREAM_USED.full_name})", 0.95),
    Figure("Since the last up", "s", f"time() - {m.LAST_UP.full_name}", float("inf")),
)


def _of_stream(name: str) -> Iterator[Graph]:
    yield Graph(
        "In and out",
        "cps",
        (
            (f"rate({m.STREAM_RECEIVED.of(stream=name)}{_RATE})", "in"),
            (f"rate({m.CONSUMER_DELIVERIES.of(stream=name)}{_RATE})", "out: {{consumer}}"),
        ),
    )
    yield Graph("Used", "percentunit", ((m.STREAM_USED.of(stream=name), "{{limit}}"),), most=1)
    yield Graph("Age of the oldest message", "s", ((f"time() - {m.STREAM_FIRST.of(stream=name)}", "oldest"),))
    yield Graph(
        "Consumers' lag",
        "short",
        (
            (m.CONSUMER_LAG.of(stream=name), "{{consumer}}"),
            (m.CONSUMER_UNACKNOWLEDGED.of(stream=name), "{{consumer}}, unacknowledged"),
        ),
    )


def _panels(graphs: Iterable[Graph]) -> list[timeseries.Panel]:
    graphs = tuple(graphs)
    return [_graph(each, _WIDTH // len(graphs)) for each in graphs]


def _graph(graph: Graph, width: int) -> timeseries.Panel:
    panel = timeseries.Panel().title(graph.title).unit(graph.unit).min(0).span(width).height(_HEIGHT)
    panel.datasource(_SOURCE)
    if graph.description:
        panel.description(graph.description)
    if graph.most is not None:
        panel.max(graph.most)
    for letter, (query, legend) in zip(ascii_uppercase, graph.queries, strict=False):
        target = prometheus.Dataquery().ref_id(letter).datasource(_SOURCE).expr(query).legend_format(legend)
        panel.with_target(target)
    return panel


def _figure(figure: Figure, width: int) -> stat.Panel:
    colours = ("red", "green") if figure.few_are_bad else ("green", "red")
    steps = [Threshold(value=None, color=colours[0])]
    steps += [Threshold(value=figure.bad, color=colours[1])] if figure.bad != float("inf") else []
    return (
        stat.Panel()
        .title(figure.title)
        .unit(figure.unit)
        .span(width)
        .height(_LOW)
        .datasource(_SOURCE)
        .color_mode(BigValueColorMode.BACKGROUND)
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(prometheus.Dataquery().ref_id("A").datasource(_SOURCE).expr(figure.query).instant())
    )
