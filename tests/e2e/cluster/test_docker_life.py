"""A cluster of containers: made, rolled, healed, grown and destroyed, with publishers at work."""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from docker.client import DockerClient
from docker.models.containers import Container

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.e2e.test_docker import _name, _url, dev, engine_client
from tests.support.configurations import config
from tests.support.faults.publisher import Publisher, publishing
from tests.support.messages import SUBJECTS, publish
from tests.support.nats_image import ensure_image
from tests.support.ports import free_port
from tests.support.status import Address, told
from tests.support.waiting import until

# Docker takes a connection before the server listens; nats.py then drops it without closing it.
pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning")]
__all__ = ["dev", "engine_client"]  # pytest finds fixtures by their names here

NODES = 3
MOST_GAP_S = 5.0
STATE = Path(__file__).parents[2] / "fixtures" / "providers.json"
UP = ("up", "--yes", "--skip-preview")


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What nats.py has dropped goes while it is this test's."""
    yield
    gc.collect()


@pytest.fixture
def cluster(dev: Project) -> Project:
    """A stack with three nodes on free ports, every stream on all of them."""
    dev.configure(**{**dev.settings, **_ports(), "nodes": NODES, "replicas": NODES})
    return dev


def _ports() -> dict[str, str]:
    return {key: ",".join(str(free_port()) for _ in range(NODES)) for key in ("clientPort", "monitorPort")}


def _names(project: Project) -> list[str]:
    return [_name(project), f"{_name(project)}-2", f"{_name(project)}-3"]


def _containers(project: Project, client: DockerClient) -> dict[str, Container]:
    """Each node's container, by its name."""
    found = client.containers.list(all=True, filters={"name": _name(project)})
    return {container.name: container for container in found}


def _ids(project: Project, client: DockerClient) -> dict[str, str]:
    return {name: container.id for name, container in _containers(project, client).items()}


def _nothing_left(project: Project, client: DockerClient) -> bool:
    name = _name(project)
    volumes, networks = client.volumes.list(filters={"name": name}), client.networks.list(names=[name])
    return not (_containers(project, client) or volumes or networks)


def test_the_life_of_a_cluster(dev: Project, engine_client: DockerClient) -> None:
    """Grown from one container, no-op, things killed, a roll under load with a volume lost, a lost state, no trace."""
    _grown_from_one(dev, engine_client)
    url = _url(dev)
    assert len(url.split(",")) == NODES
    assert sorted(_containers(dev, engine_client)) == _names(dev)
    assert dev.unchanged()
    outputs = json.loads(dev.pulumi("stack", "output", "--json").text)
    address = Address(url, outputs["monitor_url"])
    until("status is well", lambda: told(address, "--replicas", str(NODES))["exit_code"] == 0)
    _is_pickled_as_committed(dev)
    _killed(dev, engine_client)
    publisher = _a_change_reaches_one_node_at_a_time(dev, engine_client)
    assert dev.unchanged()
    _a_lost_state(dev)
    with closing(JetStream(url, Credentials())) as client:
        assert publisher.lost(client) == {}
    dev.configure(**{**dev.settings, "nodes": 1, "replicas": 1, "clientPort": free_port(), "monitorPort": 1})
    assert "cannot become the one server" in dev.preview().text
    dev.destroy()
    assert _nothing_left(dev, engine_client)


def _grown_from_one(dev: Project, engine_client: DockerClient) -> None:
    """A single container becomes three, in one up, with all that was acknowledged; what would be hidden is refused."""
    first, ports = dev.settings, _ports()
    ports["clientPort"] = ",".join([str(first["clientPort"]), *ports["clientPort"].split(",")[1:]])
    dev.up()
    url = _url(dev)
    with closing(JetStream(url, Credentials())) as client:
        client.create(config("SERVICE", subjects=["service"]))
    publish(url, "service", 3)
    with publishing(url, SUBJECTS) as publisher:
        publisher.wait_for_more()
        dev.configure(**{**first, **ports, "nodes": NODES, "replicas": NODES})
        with _a_stranger(dev, engine_client):
            refused = dev.preview()
        assert refused.code != 0
        assert f"the name {_names(dev)[1]} is taken by container" in refused.text, refused.text
        assert "would leave 3 messages" in refused.text, refused.text
        with closing(JetStream(url, Credentials())) as client:
            client.delete("SERVICE")
        dev.up()
        publisher.wait_for_more()
    with closing(JetStream(_url(dev), Credentials())) as client:
        missing = {name: publisher.missing(client, name) for name in SUBJECTS}
        assert dict.fromkeys(SUBJECTS, 3) == {
            name: info.config["num_replicas"] for name, info in client.streams().items()
        }
    assert missing == {name: [] for name in SUBJECTS}


@contextmanager
def _a_stranger(project: Project, engine_client: DockerClient) -> Iterator[None]:
    """A container of somebody else's that has a node's name."""
    other = engine_client.containers.create(project.settings["image"], name=_names(project)[1])
    yield
    other.remove(force=True)


def _is_pickled_as_committed(cluster: Project) -> None:
    """The provider between the nodes stands in every state, as the others do."""
    resources = json.loads(cluster.pulumi("stack", "export").text)["deployment"]["resources"]
    pickled = {each["outputs"]["__provider"] for each in resources if each["type"].endswith(":NodeTurn")}
    assert pickled == {json.loads(STATE.read_text())["NodeTurnProvider"]}


def _a_change_reaches_one_node_at_a_time(cluster: Project, engine_client: DockerClient) -> Publisher:
    """Every container is another one, and the publisher loses nothing, though the first node has lost its volume.

    It gets everything from the others, which wait until it has. No stream is without an answer for long.
    """
    before = _ids(cluster, engine_client)
    engine_client.containers.get(_name(cluster)).remove(force=True)
    engine_client.volumes.get(_name(cluster)).remove()
    with publishing(_url(cluster), SUBJECTS) as publisher:
        publisher.wait_for_more()
        since = time.time()
        cluster.configure(**{**cluster.settings, "memory": "512MiB"})
        plan = cluster.preview()
        assert (0, False) == (plan.code, "planned without asking" in plan.text)
        cluster.up()
        publisher.wait_for_more()
    assert set(before.values()).isdisjoint(_ids(cluster, engine_client).values())
    gap = publisher.gap_since(since)
    print(f"{publisher.count:,} acknowledged, longest gap {gap:.2f} s")  # noqa: T201
    assert gap < MOST_GAP_S
    return publisher


def _killed(cluster: Project, engine_client: DockerClient) -> None:
    """Docker starts a server again that is killed; a container that is killed is started by the next up, alone."""
    before = _ids(cluster, engine_client)
    victim = engine_client.containers.get(_names(cluster)[2])
    os.kill(victim.attrs["State"]["Pid"], signal.SIGKILL)
    until("Docker has started it again", lambda: _restarts(engine_client, victim.id) == 1)
    engine_client.containers.get(_names(cluster)[1]).kill()
    assert "nats-2" in cluster.drift()
    cluster.up()
    after = _ids(cluster, engine_client)
    assert {_names(cluster)[1]} == {name for name in before if before[name] != after[name]}
    assert cluster.unchanged(), "in whichever order they came"


def _restarts(engine_client: DockerClient, container: str) -> int:
    return int(engine_client.api.inspect_container(container)["RestartCount"])


def _a_lost_state(cluster: Project) -> None:
    shutil.rmtree(Path(cluster.environment["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi")
    assert cluster.pulumi("stack", "init", cluster.stack).code == 0
    cluster.up()


def test_a_node_that_does_not_come_back(cluster: Project, engine_client: DockerClient) -> None:
    """It stops the roll with its reason, the others as they were and serving; the next up goes on with it."""
    with _impatient(cluster):
        cluster.up()
        before, good = _ids(cluster, engine_client), cluster.settings["image"]
        with publishing(_url(cluster), SUBJECTS) as publisher, _without_server(engine_client) as broken:
            publisher.wait_for_more()
            cluster.configure(**{**cluster.settings, "image": broken})
            said = cluster.pulumi(*UP)
            assert said.code != 0
            assert "container failed to be in healthy state" in said.text
            after = _ids(cluster, engine_client)
            assert {_name(cluster)} == {name for name in before if before[name] != after[name]}
            publisher.wait_for_more()
            cluster.configure(**{**cluster.settings, "image": good})
            cluster.up()
            publisher.wait_for_more()
        assert cluster.unchanged()
    print(f"{publisher.count:,} acknowledged, longest gap {publisher.longest_gap:.2f} s")  # noqa: T201
    assert publisher.longest_gap < MOST_GAP_S
    with closing(JetStream(_url(cluster), Credentials())) as client:
        assert publisher.lost(client) == {}


@contextmanager
def _impatient(project: Project) -> Iterator[None]:
    """The program, with less time for a container to become healthy."""
    infra = project.folder / "infra"
    original = infra.readlink()
    infra.unlink()
    shutil.copytree(original, infra)
    with (infra / "servers/docker.py").open("a") as module:
        module.write("HEALTH_TIMEOUT_S = 10\n")
    yield
    shutil.rmtree(infra)
    infra.symlink_to(original)


@contextmanager
def _without_server(engine_client: DockerClient) -> Iterator[str]:
    """An image that lacks nats-server."""
    dockerfile = f"FROM {ensure_image()}\nRUN rm /usr/local/bin/nats-server\n"
    image, _log = engine_client.images.build(
        fileobj=io.BytesIO(dockerfile.encode()), rm=True, tag="prediction-streams-test/none"
    )
    yield image.tags[0]
    engine_client.images.remove(image.id, force=True)
