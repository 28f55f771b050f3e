"""Clusters that are joined: streams that take their messages from another, over a leaf node and over a gateway."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.cli.main import main
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.status import origins
from tests.e2e.conftest import Project
from tests.support.gateway import two_clusters
from tests.support.leaf import cluster_and_leaf
from tests.support.waiting import until

HUB = "$JS.hub.API"


def messages(client: JetStream) -> dict[str, int]:
    """How many each stream has."""
    return {name: info.messages for name, info in client.streams().items()}


def status(project: Project, url: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What ``status --json`` says of the stack's catalogue."""
    capsys.readouterr()
    main(["status", "--json", "--url", url, "--catalogue", str(project.folder / "streams.yaml")])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def fed(**changes: Any) -> dict[str, Any]:
    """The leaf's catalogue: a copy of a stream of the hub's, a stream that gathers from it, and one of nobody's."""
    return {
        "COPY": {"mirror": {"name": "ORDERS", "external": {"api": HUB}}, **changes},
        "EUROPE": {
            "subjects": ["local"],
            "sources": [{"name": "ORDERS", "external": {"api": HUB}, "filter_subject": "orders.eu"}],
        },
        "NOBODYS": {"mirror": {"name": "MISSING", "external": {"api": HUB}}},
    }


def test_a_leaf_that_is_fed_by_its_hub(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two stacks, the hub's with three replicas: what is published there arrives; an origin that is missing shows.

    The hub's stack connects through the leaf, a single server; three replicas are possible there all the same.
    """
    with cluster_and_leaf(tmp_path / "sea") as sea, ExitStack() as stack:
        hub, leaf = (stack.enter_context(closing(JetStream(each.url, Credentials()))) for each in (sea.hub, sea.leaf))
        above = Project(project.folder, project.environment, "above")
        assert above.pulumi("stack", "init", "above").code == 0
        common = {"server": "external", "onDelete": "delete"}
        above.configure(**common, url=sea.leaf.url, domain="hub", catalogue="hub.yaml", replicas=3)
        (project.folder / "hub.yaml").write_text(yaml.safe_dump({"ORDERS": {"subjects": ["orders.*"]}}))
        above.up()
        assert above.unchanged()

        project.configure(**common, url=sea.leaf.url, catalogue="streams.yaml", monitorUrl=sea.leaf.monitor_url)
        project.catalogue(**fed(num_replicas=3))
        refused = project.preview()
        assert refused.code != 0
        assert "COPY: num_replicas 3 needs a cluster; this is a single server, write 1" in refused.text
        project.catalogue(**fed())
        project.up()
        assert project.unchanged()
        for subject in ("orders.eu", "orders.us", "orders.eu"):
            hub.connection.request(subject, b"x")
        expected = {"COPY": 3, "EUROPE": 2, "NOBODYS": 0}
        until("what the hub gets arrives", lambda: messages(leaf) == expected)

        monkeypatch.setattr(origins, "SILENT_S", 2.0)
        report = until("what hears nothing is seen", lambda: _cut_off(status(project, sea.leaf.url, capsys)))
        assert {"COPY": "ok", "EUROPE": "ok", "NOBODYS": "cut off"} == {
            stream["name"]: stream["state"] for stream in report["streams"]
        }
        said = [check["text"] for check in report["checks"] if check["name"] == "NOBODYS"]
        assert [f"has never heard from its origin MISSING ({HUB}): it is not there, or cannot be reached"] == said

        project.catalogue(**fed(max_age="1d"))
        assert "max_age" in project.drift()
        project.up()
        assert project.unchanged()
        assert expected == messages(leaf)
        project.destroy()
        assert {"ORDERS": 3} == messages(hub)
        above.destroy()
        assert {} == messages(hub)


def _cut_off(report: dict[str, Any]) -> dict[str, Any] | None:
    return report if any(stream["state"] == "cut off" for stream in report["streams"]) else None


def test_streams_on_either_side_of_a_gateway(project: Project, tmp_path: Path) -> None:
    """Placed by cluster, mirrored to the other side, moved there with their messages; too small a side is named."""
    with (
        two_clusters(tmp_path / "world", (3, 1)) as (east, west),
        closing(JetStream(west.url, Credentials())) as client,
    ):
        monitor_url = ",".join((*east.monitor_urls, *west.monitor_urls))
        project.configure(
            server="external", url=west.url, onDelete="delete", catalogue="streams.yaml", monitorUrl=monitor_url
        )
        orders = {"subjects": ["orders"], "num_replicas": 3, "placement": {"cluster": "EAST"}}
        copy = {"mirror": {"name": "ORDERS"}, "placement": {"cluster": "WEST"}}
        project.catalogue(ORDERS={**orders, "placement": {"cluster": "WEST"}}, COPY=copy)
        too_small = project.preview()
        assert too_small.code != 0
        assert "ORDERS: placement needs 3 servers; cluster WEST has 1" in too_small.text, too_small.text

        project.catalogue(ORDERS=orders, COPY=copy)
        project.up()
        assert project.unchanged()
        for _ in range(3):
            client.connection.request("orders", b"x")
        until("the copy has them", lambda: messages(client) == {"ORDERS": 3, "COPY": 3})
        assert {"ORDERS": "EAST", "COPY": "WEST"} == _clusters(client)

        project.catalogue(ORDERS=orders, COPY={**copy, "placement": {"cluster": "EAST"}})
        project.up()
        until("the copy has moved", lambda: _clusters(client)["COPY"] == "EAST", 60)
        assert project.unchanged()
        assert {"ORDERS": 3, "COPY": 3} == messages(client)
        project.destroy()
        assert {} == messages(client)


def _clusters(client: JetStream) -> dict[str, str]:
    bodies = client.pages("STREAM.LIST", "streams")
    return {body["config"]["name"]: body["cluster"]["name"] for body in bodies}
