"""A node's turn: real servers behind an engine that says where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.docker_engine.holdings import DockerPlace
from provisioner.errors import ProvisionerError
from provisioner.reconcile import docker_cluster
from provisioner.reconcile.docker_cluster import await_turn, await_whole, greeting_nodes
from tests.support.docker_api import NAME, container, docker_api
from tests.support.nats_cluster import NatsCluster, running_cluster
from tests.support.nats_server import NatsServer

NAMES = (NAME, f"{NAME}-2", f"{NAME}-3")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    """Three nodes."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def place(tmp_path: Path, cluster: NatsCluster, monkeypatch: pytest.MonkeyPatch) -> DockerPlace:
    """Where the stack says that they are to be: at ports that nobody has yet."""
    monkeypatch.setattr(docker_cluster, "SPARE_TIMEOUT_S", 0.3)
    assert cluster.running() == [0, 1, 2]
    return DockerPlace(name=NAME, host=f"unix://{tmp_path}/engine", address="127.0.0.1", ports=(1,) * 6, nodes=3)


def _engine(nodes: Mapping[str, NatsServer | None]) -> dict[str, Any]:
    """What it says: a container for each node; it does not run where there is no server."""
    return {"/version": {}} | {f"/containers/{name}/json": _container(server) for name, server in nodes.items()}


def _container(server: NatsServer | None) -> dict[str, Any]:
    if server is None:
        return container("ours", Running=False)
    return container("ours", ports={4222: server.ports[0], 8222: server.ports[1]})


def _told(place: DockerPlace, nodes: Mapping[str, NatsServer | None], node: str | None) -> str:
    """What is said against the node's turn; nothing when it comes."""
    with docker_api(Path(str(place.host).removeprefix("unix://")), _engine(nodes)):
        try:
            await_turn(place, node) if node else await_whole(place)
        except ProvisionerError as error:
            return str(error)
        return ""


def test_it_is_a_node_s_turn_when_all_others_are_whole(place: DockerPlace, cluster: NatsCluster) -> None:
    """They are asked where they are now, not where they are to be; one that is down has its turn at any time."""
    nodes: dict[str, NatsServer | None] = dict(zip(NAMES, cluster.nodes, strict=True))
    assert _told(place, nodes, NAMES[0]) == _told(place, nodes, None) == ""
    down = {**nodes, NAMES[1]: None}
    assert _told(place, down, NAMES[1]) == ""
    assert _told(place, down, NAMES[0]) == (
        f"{NAME} has to be replaced, and waits for the other nodes of its cluster: {NAME}-2: its container does not "
        "run; it stays as it is"
    )
    assert _told(place, down, None) == (
        f"the cluster {NAME} is made, and is not whole: {NAME}-2: its container does not run"
    )


def test_nodes_that_have_yet_to_be_made(place: DockerPlace, cluster: NatsCluster, server: NatsServer) -> None:
    """They keep nobody waiting, and a server that was alone until now is no node; in the end all have to be there."""
    nodes: dict[str, NatsServer | None] = dict(zip(NAMES[:2], cluster.nodes, strict=False))
    assert [_told(place, nodes, name) for name in NAMES] == ["", "", ""]
    assert "prediction-streams-dev-3: has no container" in _told(place, nodes, None)
    assert _told(place, {NAMES[0]: server}, NAMES[0]) == ""
    with docker_api(Path(str(place.host).removeprefix("unix://")), _engine({**nodes, NAMES[2]: server})):
        assert greeting_nodes(place) == {*NAMES[:2]}


def test_behind_an_engine_that_only_the_plugin_reaches(place: DockerPlace, cluster: NatsCluster) -> None:
    """The nodes are asked where the settings have them."""
    clients, monitors = zip(*(node.ports for node in cluster.nodes), strict=True)
    far = replace(place, host="ssh://there", ports=(*clients, *monitors))
    assert greeting_nodes(far) == {*NAMES}
    await_turn(far, NAMES[0])
    await_whole(far)
    assert greeting_nodes(replace(place, host="ssh://there")) == set()
