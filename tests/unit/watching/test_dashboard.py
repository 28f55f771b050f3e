"""The dashboard of a catalogue: what is on it, where, and that it asks only for what is exported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from provisioner.catalogue.reader import load
from provisioner.watching.dashboard import dashboard_text
from provisioner.watching.names import METRICS

ROOT = Path(__file__).parents[3]
BOARD: dict[str, Any] = json.loads(dashboard_text(load(ROOT / "infra/streams.yaml")))


def rows() -> Iterator[tuple[str, list[str]]]:
    """The titles of the panels below the title of each row."""
    title, panels = "", list[str]()
    for panel in BOARD["panels"]:
        if panel["type"] == "row":
            yield title, panels
            title, panels = panel["title"], []
        else:
            panels.append(panel["title"])
    yield title, panels


def test_what_is_on_it() -> None:
    """The estate at a glance, the way through all streams, then a row a stream in the catalogue's order."""
    found = dict(rows())
    assert [
        "",
        "From the first stream to the last consumer",
        "MARKET_DATA",
        "PREDICTIONS",
        "EXPLANATIONS",
        "MODEL_METRICS",
        "ROUTING",
    ] == [title.partition(":")[0] for title in found]
    assert ["JetStream answers", "Missing streams"] == found[""][:2]
    assert [
        ["Messages in and out", "Bytes, of the most there may be"],
        ["Age of the oldest message", "Messages that consumers have yet to get"],
    ] == [next(panels for title, panels in found.items() if title.startswith("ROUTING"))[at : at + 2] for at in (0, 2)]


def test_every_hop_is_in_the_flow() -> None:
    """Each consumer of the catalogue, in its order, from ingestion to the API."""
    hops = next(panel for panel in BOARD["panels"] if panel["title"] == "Messages that wait for each consumer")
    legends = [target["legendFormat"] for target in hops["targets"]]
    assert ("MARKET_DATA/routing-agent", "EXPLANATIONS/api-gateway", 9) == (legends[0], legends[6], len(legends))


def test_no_two_panels_share_a_place() -> None:
    """Each cell of the grid is one panel's, and none is beyond its 24 columns."""
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in BOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert 24 == 1 + max(x for x, _y in cells)


def test_it_asks_only_for_what_is_exported() -> None:
    """A metric that is renamed takes its panels along."""
    asked = re.findall(r"streams_\w+", " ".join(t["expr"] for p in BOARD["panels"] for t in p.get("targets", ())))
    assert set() == set(asked) - {metric.name for metric in METRICS}


def test_it_is_a_dashboard_of_grafana() -> None:
    """Read by Grafana's own model of its schema, and written again: nothing is unknown to it."""
    again = json.loads(json.dumps(Dashboard.from_json(BOARD), cls=JSONEncoder))
    assert {**BOARD, "panels": len(BOARD["panels"])} == {**again, "panels": len(again["panels"])}
    assert [panel["title"] for panel in BOARD["panels"]] == [panel["title"] for panel in again["panels"]]
