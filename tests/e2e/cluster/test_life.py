"""A cluster of server processes: made, rolled, healed, grown and destroyed, with publishers at work."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.faults.publisher import Publisher, publishing
from tests.support.messages import SUBJECTS
from tests.support.ports import free_port
from tests.support.status import Address, told
from tests.support.waiting import until

NODES = 3
MOST_GAP_S = 5.0


@pytest.fixture
def cluster(project: Project) -> Project:
    """A stack with three nodes on free ports, every stream on all of them."""
    project.configure(**settings(project.folder / "nats"), nodes=NODES, replicas=NODES)
    return project


def settings(folder: Path) -> dict[str, Any]:
    """A server process, or as many as ``nodes`` says."""
    ports = {
        key: ",".join(str(free_port()) for _ in range(NODES)) for key in ("clientPort", "monitorPort", "clusterPort")
    }
    return {"server": "process", "onDelete": "delete", "storeDir": str(folder), **ports}


def pids(project: Project) -> dict[str, int]:
    """Each node's process, by the name of its resource."""
    exported = json.loads(project.pulumi("stack", "export").text)
    servers = [r for r in exported["deployment"]["resources"] if r["type"].endswith(":ServerProcess")]
    return {server["urn"].rpartition("::")[2]: int(server["outputs"]["pid"]) for server in servers}


def outputs(project: Project) -> dict[str, Any]:
    """The stack's outputs."""
    answer: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json").text)
    return answer


def test_the_life_of_a_cluster(cluster: Project) -> None:
    """up, no-op, a node killed and healed, a limit, a roll under load, a lost disk, destroyed without a trace."""
    assert cluster.preview().code == 0
    cluster.up()
    url = outputs(cluster)["url"]
    assert len(url.split(",")) == NODES
    assert cluster.unchanged()
    address = Address(url, outputs(cluster)["monitor_url"])
    until("status is well", lambda: told(address, "--replicas", str(NODES))["exit_code"] == 0)
    _a_killed_node_is_started_again(cluster)
    _a_limit_is_reloaded(cluster)
    publisher = _a_change_reaches_one_node_at_a_time(cluster, url)
    _a_node_that_has_lost_its_disk(cluster)
    assert cluster.unchanged()
    with closing(JetStream(url, Credentials())) as client:
        assert publisher.lost(client) == {}
    cluster.destroy()
    assert not (cluster.folder / "nats").exists()


def _a_killed_node_is_started_again(cluster: Project) -> None:
    before = pids(cluster)
    assert list(before) == ["nats", "nats-2", "nats-3"]
    os.kill(before["nats-2"], signal.SIGKILL)
    assert "nats-2" in cluster.drift()
    cluster.up()
    after = pids(cluster)
    assert {name for name in before if before[name] != after[name]} == {"nats-2"}


def _a_limit_is_reloaded(cluster: Project) -> None:
    """All nodes take it as they run."""
    before = pids(cluster)
    cluster.configure(**{**cluster.settings, "maxFileStore": "40GiB"})
    cluster.up()
    assert before == pids(cluster)


def _a_change_reaches_one_node_at_a_time(cluster: Project, url: str) -> Publisher:
    """Every node is restarted, the publisher loses nothing, and no stream is without an answer for long."""
    before = pids(cluster)
    with publishing(url, SUBJECTS) as publisher:
        publisher.wait_for_more()
        cluster.configure(**{**cluster.settings, "syncInterval": "2m"})
        cluster.up()
        publisher.wait_for_more()
    assert set(before.values()).isdisjoint(pids(cluster).values())
    print(f"{publisher.count:,} acknowledged, longest gap {publisher.longest_gap:.2f} s")  # noqa: T201
    assert publisher.longest_gap < MOST_GAP_S
    return publisher


def _a_node_that_has_lost_its_disk(cluster: Project) -> None:
    """It gets everything from the others, and a change of all nodes in the same run waits until it has."""
    os.kill(pids(cluster)["nats"], signal.SIGKILL)
    shutil.rmtree(cluster.folder / "nats/cluster/node-1")
    cluster.configure(**{**cluster.settings, "syncInterval": "3m"})
    cluster.up()


def test_growing_keeps_every_message(project: Project) -> None:
    """A single server becomes three, in one up, with the streams' replicas and all that was acknowledged."""
    alone = settings(project.folder / "nats")
    first = {key: value.split(",")[0] if key.endswith("Port") else value for key, value in alone.items()}
    del first["clusterPort"]
    project.configure(**first)
    project.up()
    url = outputs(project)["url"]
    with publishing(url, SUBJECTS) as publisher:
        publisher.wait_for_more()
        project.configure(**alone, nodes=NODES, replicas=NODES)
        plan = project.preview()
        assert plan.code == 0, plan.text
        project.up()
        publisher.wait_for_more()
    with closing(JetStream(outputs(project)["url"], Credentials())) as client:
        missing = {name: publisher.missing(client, name) for name in SUBJECTS}
        assert {name: info.config["num_replicas"] for name, info in client.streams().items()} == dict.fromkeys(
            SUBJECTS, 3
        )
    assert missing == {name: [] for name in SUBJECTS}
    assert project.unchanged()
    project.configure(**first)
    assert "cannot become the one server" in project.preview().text
