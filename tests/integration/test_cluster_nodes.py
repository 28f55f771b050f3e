"""Nodes of a cluster on this machine: none is stopped while another is missing, and what runs is what its file says."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from infra.servers.nats_conf import Cluster, server_config
from provisioner.catalogue.reader import parse
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.local_server import cluster, ports, server_dir, supervisor
from provisioner.local_server.cluster import ClusterError
from provisioner.local_server.server_dir import Peer, ServerDir, ServerSpec
from provisioner.reconcile.estate import Estate
from provisioner.reconcile.gate import estate_preflight
from provisioner.reconcile.program import Program
from tests.support.ports import free_port
from tests.support.waiting import until

HOST = "127.0.0.1"
ACCOUNT = 'accounts { "APP" { jetstream: enabled, users: [{user: a, password: b}] } }\n'


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[ServerSpec]]:
    """Three nodes that run; ended, whatever happens."""
    peers = [Peer(ServerDir(tmp_path / f"node-{n}"), free_port(), free_port()) for n in (1, 2, 3)]
    ports = [free_port() for _ in peers]
    specs = [_spec(peers, ports, index, "always") for index in range(3)]
    try:
        for spec in specs:
            supervisor.ensure(spec)
        yield specs
    finally:
        for spec in specs:
            supervisor.stop(spec.directory)


def _spec(peers: list[Peer], ports: list[int], index: int, sync_interval: str) -> ServerSpec:
    own, routes = peers[index], tuple(f"{HOST}:{port}" for port in ports)
    config = server_config(
        name=f"n-{index + 1}",
        host=HOST,
        client_port=own.client_port,
        monitor_port=own.monitor_port,
        store_dir=str(own.directory.data),
        max_file_store=1024**3,
        sync_interval=sync_interval,
        log=own.directory.log,
        cluster=Cluster(name="n", listen=routes[index], routes=routes),
    )
    return ServerSpec(
        directory=own.directory,
        owner="project/stack",
        config=config,
        host=HOST,
        client_port=own.client_port,
        monitor_port=own.monitor_port,
        cluster_port=ports[index],
        peers=tuple(peer for peer in peers if peer is not own),
    )


def test_a_node_that_does_not_come_back_stops_the_roll(
    nodes: list[ServerSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next node is left as it is, with the reason; once the missing one is back, the roll goes on."""
    monkeypatch.setattr(cluster, "SPARE_TIMEOUT_S", 3.0)
    first, third = nodes[0], server_dir.read(nodes[2].directory)
    changed = replace(first, config=first.config.replace('"always"', '"120000ms"'))
    before = supervisor.find(first.directory)
    assert third
    assert third.process
    os.kill(third.process.pid, signal.SIGKILL)

    with pytest.raises(ClusterError, match=r"node-3: its monitoring does not answer: .*; nothing is changed"):
        supervisor.ensure(changed)
    assert before == supervisor.find(first.directory)
    assert server_dir.read_config(first.directory) == first.config, "it runs with it"

    supervisor.ensure(nodes[2])
    supervisor.ensure(changed)
    after = supervisor.find(first.directory)
    assert after
    assert before
    assert after.process != before.process
    assert server_dir.read_config(first.directory) == changed.config


def test_a_node_that_the_run_has_seen_steady_is_looked_at_once_more(
    nodes: list[ServerSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for again before each other node's restart; one that was started anew meanwhile is."""
    asked: list[int] = []

    def healthy(_host: str, port: int, _ca: str | None) -> None:
        asked.append(port)

    def spare(spec: ServerSpec) -> int:
        asked.clear()
        server = supervisor.find(spec.directory)
        assert server
        cluster.require_spare(spec, server)
        return len(asked)

    monkeypatch.setattr(ports, "health_problem", healthy)
    monkeypatch.setattr(cluster, "require_current", lambda _spec: None)
    once = 2 * len(nodes[0].peers)  # while it waits, and for what it says
    for _ in range(2):
        assert spare(nodes[0]) > once
        assert spare(nodes[0]) == once
        supervisor.stop(nodes[2].directory)
        supervisor.ensure(nodes[2])


def test_a_cluster_does_not_shrink() -> None:
    """What is on the nodes that go would go with them."""
    url = f"nats://{HOST}:{free_port()}"
    old = Estate(owns_server=True, url=url, store="folder x", nodes=5)
    problems = estate_preflight(old, replace(old, nodes=3), Program(), Credentials()).problems
    assert [problem.partition(" would ")[0] for problem in problems] == ["nodes: 5 -> 3"]
    assert estate_preflight(old, old, Program(), Credentials()).problems == ()


def test_an_account_that_is_taken_away(nodes: list[ServerSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    """The nodes call themselves unhealthy for good, as its streams are there; a roll goes on nevertheless."""
    monkeypatch.setattr(cluster, "SPARE_TIMEOUT_S", 10.0)
    monkeypatch.setattr(cluster, "CURRENT_TIMEOUT_S", 20.0)
    for spec in nodes:
        supervisor.ensure(replace(spec, config=f"{spec.config}{ACCOUNT}"))
    _create_stream(nodes[0])
    for spec in nodes:
        supervisor.ensure(spec)
    until("the nodes are unhealthy", lambda: not any(map(_is_healthy, nodes)), 20)
    for spec in nodes:
        supervisor.ensure(replace(spec, config=spec.config.replace('"always"', '"120000ms"')))
    assert not any(map(_is_healthy, nodes))


def _create_stream(spec: ServerSpec) -> None:
    with closing(JetStream(f"nats://{HOST}:{spec.client_port}", Credentials(user="a", password="b"))) as client:
        client.create({**parse("ORDERS: {num_replicas: 3}", "streams.yaml").streams[0].config})


def _is_healthy(spec: ServerSpec) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://{HOST}:{spec.monitor_port}/healthz", timeout=5):
        return True
    return False
