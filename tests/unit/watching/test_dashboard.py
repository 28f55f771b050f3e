"""The dashboard of a catalogue: what Grafana gets."""

from __future__ import annotations

import json
import re
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from provisioner.catalogue.reader import parse
from provisioner.watching.dashboard import dashboard_json
from provisioner.watching.metrics import METRICS

TEXT = "ORDERS: {purpose: Incoming orders, subjects: [orders.*]}\n'A\"B': {subjects: [ab]}\nbuckets: {cfg: }\n"
NAMES = {metric.full_name for metric in METRICS}


def board() -> dict[str, Any]:
    """The dashboard as data."""
    read: dict[str, Any] = json.loads(dashboard_json(parse(TEXT, "streams.yaml")))
    return read


def test_its_rows() -> None:
    """The flow first, the estate, then each stream."""
    assert [
        "Flow: what comes in, what goes out, what waits",
        "Estate",
        "ORDERS: Incoming orders",
        'A"B',
        "KV_cfg",
    ] == [panel["title"] for panel in board()["panels"] if panel["type"] == "row"]


def test_its_queries_are_of_metrics_that_there_are() -> None:
    """Of each panel, for the data source that is chosen above."""
    queries = [target["expr"] for panel in board()["panels"] for target in panel.get("targets", ())]
    asked = {name for query in queries for name in re.findall(r"\bstreams_\w+", query)}

    assert set() == asked - NAMES
    assert 'streams_stream_used_ratio{stream="A\\"B"}' in queries
    assert {"${source}"} == {panel["datasource"]["uid"] for panel in board()["panels"] if panel["type"] != "row"}


def test_it_is_what_grafana_reads() -> None:
    """Read with the types of Grafana's library and written again, it is the same."""
    again = json.loads(json.dumps(Dashboard.from_json(board()), cls=JSONEncoder))
    assert board() == again


def test_panels_do_not_overlap() -> None:
    """Each has its own part of the grid, 24 columns wide."""
    seen: dict[tuple[int, int], str] = {}
    for panel in board()["panels"]:
        at = panel["gridPos"]
        cells = [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
        assert not seen.keys() & set(cells), panel["title"]
        assert at["x"] + at["w"] <= 24
        seen.update(dict.fromkeys(cells, panel["title"]))


def test_the_queries_of_a_panel_have_letters() -> None:
    """Grafana tells them apart by these."""
    letters = [[target["refId"] for target in panel["targets"]] for panel in board()["panels"] if panel.get("targets")]
    assert [] == [each for each in letters if each != ["A", "B"][: len(each)]]
