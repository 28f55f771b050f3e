"""``streams status`` on a real cluster whose nodes are killed, paused and started again."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nats.errors import Error as NatsError

from provisioner.catalogue.reader import load
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.status.collect import collect
from provisioner.status.report import plain
from tests.support.nats_cluster import NatsCluster, running_cluster
from tests.support.raw_nats import RawClient, raw_client
from tests.support.slowed import slowed
from tests.support.status import found, states, status, told
from tests.support.waiting import until

CATALOGUE = """\
ORDERS: {subjects: [orders], num_replicas: 3}
ALONE: {subjects: [alone], num_replicas: 1}
"""
DEADLINE_S = 60.0
MEGABYTES = 120


@dataclass(frozen=True)
class Scene:
    """A cluster with two streams, one of them on all its nodes.

    Attributes:
        cluster: the nodes.
        file: the catalogue.
        alone: the node that has the other stream.
    """

    cluster: NatsCluster
    file: Path
    alone: int

    @property
    def url(self) -> str:
        """Of the nodes that run, for clients."""
        return ",".join(self.cluster.nodes[number].url for number in self.cluster.running())

    @property
    def monitor_url(self) -> str:
        """Of every node's monitoring, whether or not it runs."""
        return ",".join(self.cluster.monitor_urls)

    def told(self) -> dict[str, Any]:
        """What status tells machines."""
        return told(self, "--catalogue", str(self.file))

    def until(self, what: str, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first report of which it is true; a failing test shows the last."""
        last: list[dict[str, Any]] = []

        def look() -> dict[str, Any] | None:
            last[:] = [self.told()]
            return last[0] if condition(last[0]) else None

        try:
            return until(what, look, DEADLINE_S)
        finally:
            print(what, last[0]["checks"], last[0].get("cluster"))  # noqa: T201 - pytest shows it with a failure

    def process(self, number: int) -> subprocess.Popen[bytes] | None:
        """Of a node that runs."""
        return self.cluster.nodes[number].process if number in self.cluster.running() else None

    def others(self, *numbers: int) -> list[int]:
        """All nodes but these."""
        return [number for number in range(self.cluster.size) if number not in numbers]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A cluster that is well."""
    file = tmp_path / "streams.yaml"
    file.write_text(CATALOGUE)
    limits = "max_file_store: 20GB, max_mem: 1GB, sync_interval: always"
    with running_cluster(tmp_path / "cluster", jetstream=limits) as cluster:
        client = JetStream(cluster.url, Credentials())
        try:
            for spec in load(file, None).streams:
                client.create(spec.config)
            leader = client.request("STREAM.INFO.ALONE")["cluster"]["leader"]
        finally:
            client.close()
        yield Scene(cluster, file, cluster.names.index(leader))


def node_states(report: dict[str, Any]) -> dict[str, str]:
    """The state of each node."""
    return {node["name"]: node["state"] for node in report["cluster"]["nodes"]}


def test_all_is_well(scene: Scene) -> None:
    """Nodes, the meta leader, each stream's leader and replicas, for machines and for people; exit code 0."""
    report = scene.until("all is well", lambda report: report["exit_code"] == 0)
    names = scene.cluster.names
    assert dict.fromkeys(names, "up") == node_states(report)
    leaders = [node["name"] for node in report["cluster"]["nodes"] if node["meta_leader"]]
    assert [report["cluster"]["meta_leader"]] == leaders
    orders, alone = report["streams"]
    assert set(names) == {orders["leader"], *(replica["name"] for replica in orders["replicas"])}
    assert [True, True] == [replica["current"] for replica in orders["replicas"]]
    assert (names[scene.alone], []) == (alone["leader"], alone["replicas"])
    done = status(scene, "--catalogue", str(scene.file))
    assert (0, "") == (done.returncode, done.stderr)
    assert f"OK        cluster C     3 of 3 nodes up, meta leader {leaders[0]}" in done.stdout
    assert f"{orders['leader']}, leader" in done.stdout
    assert done.stdout.endswith("OK: 2 streams: 2 ok\n")


def test_one_node_is_killed_then_another(scene: Scene) -> None:
    """A lost replica is a warning, a lost quorum critical, and both pass when the nodes are back."""
    first, second = scene.others(scene.alone)
    lost = scene.cluster.names[first]
    scene.cluster.kill(first)
    # While leaders are elected, there may be no answer.
    report = scene.until(
        "a lost replica is a warning", lambda report: report["exit_code"] == 1 and _is_degraded(report)
    )
    assert "down" == node_states(report)[lost]
    assert {"ORDERS", f"node {lost}"} <= set(found(report, "WARNING"))
    assert f"replica on {lost} has been silent" in found(report, "WARNING")["ORDERS"]

    scene.cluster.kill(second)
    critical = {"cluster C", "ORDERS"}
    report = scene.until("the quorum is lost", lambda report: critical <= set(found(report, "CRITICAL")))
    assert 2 == report["exit_code"]
    assert 1 == list(node_states(report).values()).count("up")
    report = scene.until("there is no leader", lambda report: states(report)["ORDERS"] == "no leader")
    report = scene.until("nor a meta leader", lambda report: not report["cluster"]["meta_leader"])
    assert "no meta leader: 1 of 3 nodes up, 2 are needed" == found(report, "CRITICAL")["cluster C"]
    assert "ok" == states(report)["ALONE"], "its node is the one that is left"

    for number in (first, second):
        scene.cluster.start_node(number)
    scene.until("all is well again", lambda report: report["exit_code"] == 0)


def test_the_only_node_of_a_stream_is_killed(scene: Scene) -> None:
    """That stream serves nobody, which is critical, although the cluster goes on."""
    scene.cluster.kill(scene.alone)
    report = scene.until(
        "the other stream goes on",
        lambda report: _is_degraded(report) and {"ALONE"} == set(found(report, "CRITICAL")),
    )
    assert (2, "silent") == (report["exit_code"], states(report)["ALONE"])
    assert [] == report["unmanaged"]


def test_a_node_is_paused(scene: Scene) -> None:
    """One that hangs is a warning like one that is down, and no report waits for it."""
    number = scene.others(scene.alone)[0]
    process = scene.cluster.nodes[number].process
    assert process
    process.send_signal(signal.SIGSTOP)
    try:
        report = scene.until(
            "a paused node is a warning", lambda report: report["exit_code"] == 1 and _is_degraded(report)
        )
    finally:
        process.send_signal(signal.SIGCONT)
    assert "down" == node_states(report)[scene.cluster.names[number]]
    assert "no answer within 2 s" in found(report, "WARNING")[f"node {scene.cluster.names[number]}"]
    scene.until("all is well again", lambda report: report["exit_code"] == 0)


def test_a_replica_that_catches_up(scene: Scene) -> None:
    """One that has lost its disk is a warning with what it lacks, until it has everything."""
    number = scene.others(scene.alone)[0]
    scene.cluster.kill(number)
    shutil.rmtree(scene.cluster.nodes[number].folder / "data")
    with raw_client(scene.url) as raw:
        until("a leader without it", lambda: _takes(raw), DEADLINE_S)
        _publish(raw, MEGABYTES)

    def catching_up() -> dict[str, Any] | None:
        with raw_client(scene.url) as raw:  # more than a node that is slowed can take
            _publish(raw, 20)
        # Not in a process of its own: the moment is short.
        report = plain(collect(scene.file, scene.url, scene.monitor_url, {}))
        return report if "is catching up" in found(report, "WARNING").get("ORDERS", "") else None

    # From its first moment on: it may have everything as soon as it takes clients.
    with ThreadPoolExecutor(1) as executor:
        starting = executor.submit(scene.cluster.start_node, number)
        with slowed(until("its process", lambda: scene.process(number))):
            report = until("a replica catches up", catching_up, DEADLINE_S)
        starting.result(DEADLINE_S)
    assert (1, True) == (report["exit_code"], _is_degraded(report))
    behind = [each for each in report["streams"][0]["replicas"] if not each["current"]]
    assert [scene.cluster.names[number]] == [each["name"] for each in behind]
    assert behind[0]["lag"] > 10
    scene.until("it has everything", lambda report: report["exit_code"] == 0)


def _publish(raw: RawClient, megabytes: int) -> None:
    for _ in range(megabytes):
        raw.publish("orders", b"x" * 1_000_000)


def _is_degraded(report: dict[str, Any]) -> bool:
    return states(report)["ORDERS"] == "degraded"


def _takes(raw: RawClient) -> bool:
    """Whether the stream takes a message; while it has no leader, nobody answers."""
    with suppress(NatsError):
        answer = raw.request("orders", b"first", timeout=1.0)
        return b'"seq"' in answer and b'"error"' not in answer
    return False
