"""Docker: what another checkout or a hand has made is refused and never deleted; what is ours is found again."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker.client import DockerClient

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project, Result
from tests.e2e.test_docker import _name, _url, dev, engine_client
from tests.support.configurations import config
from tests.support.messages import EXPECTED, publish, publish_one_each, read_one_each, stored
from tests.support.ports import free_port

pytestmark = pytest.mark.docker
__all__ = ["dev", "engine_client"]  # pytest finds fixtures by their names here

UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")


def _refused(result: Result, *words: str) -> None:
    """The run failed, in lines with these words."""
    assert result.code != 0, result.text
    assert [] == [word for word in words if word not in result.text], result.text
    assert "Traceback" not in result.text


def _copy(project: Project, folder: Path, **settings: Any) -> Project:
    """The same project in another folder, with an empty state and the same stack name."""
    shutil.copytree(project.folder, folder, symlinks=True)
    state = folder.with_name(f"{folder.name}-state")
    state.mkdir()
    other = replace(project, folder=folder, environment=project.environment | {"PULUMI_BACKEND_URL": f"file://{state}"})
    assert other.pulumi("stack", "init", other.stack).code == 0
    other.configure(**{**project.settings, **settings})
    return other


def _resources(project: Project) -> set[str]:
    exported = json.loads(project.pulumi("stack", "export").text)
    return {resource["urn"].split("::")[-1] for resource in exported["deployment"].get("resources", ())}


def _lose_state(project: Project) -> None:
    shutil.rmtree(Path(project.environment["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi")
    assert project.pulumi("stack", "init", project.stack).code == 0


def _remove_container(project: Project, engine_client: DockerClient) -> None:
    engine_client.containers.get(_name(project)).remove(force=True)


def _ports() -> dict[str, int]:
    return {"clientPort": free_port(), "monitorPort": free_port()}


@contextmanager
def _listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_two_checkouts_with_one_stack_name(dev: Project, engine_client: DockerClient, tmp_path: Path) -> None:
    """The second is refused before anything; nothing it does harms the first; a checkout that moves keeps its own."""
    dev.up()
    publish_one_each(_url(dev))
    second = _copy(dev, tmp_path / "second", **_ports())
    whose = f"which the checkout {dev.folder} made, not this stack"
    for command in (("preview",), UP):
        _refused(second.pulumi(*command), f"the name {_name(dev)} is taken by container", whose)
    assert set() == _resources(second) & {"network", "data", "nats", "image", "store"}

    _remove_container(dev, engine_client)
    _refused(second.pulumi(*UP), f"the name {_name(dev)} is taken by network", "a volume of", whose)
    second.destroy()

    moved = replace(dev, folder=dev.folder.rename(tmp_path / "moved"))
    moved.up()
    assert EXPECTED == read_one_each(_url(moved))
    assert moved.unchanged()
    _taken_over(moved, second, engine_client)
    moved.folder.rename(dev.folder)


def _taken_over(first: Project, second: Project, engine_client: DockerClient) -> None:
    """On purpose, the second takes it over with its messages; then the first is refused, whatever it does."""
    said = second.up(STREAMS_TAKE_OVER=_name(second))
    assert "taken over, which the checkout" in said.text
    assert EXPECTED == read_one_each(_url(second))
    _refused(first.pulumi(*UP), f"the name {_name(first)} is taken by container")

    _remove_container(second, engine_client)
    engine_client.volumes.get(_name(second)).remove()
    second.up()
    publish_one_each(_url(second))
    _refused(first.pulumi(*DESTROY), f"volume {_name(first)} is one which the checkout {second.folder} made", "stays")
    assert EXPECTED == read_one_each(_url(second)), "the volume is another one now, under the same name"
    second.destroy()
    first.pulumi("stack", "rm", "--force", "--yes", first.stack)


def test_a_volume_and_a_network_made_by_hand(dev: Project, engine_client: DockerClient) -> None:
    """One line for both, in preview and up; nothing is made, and they stay."""
    volume = engine_client.volumes.create(_name(dev))
    network = engine_client.networks.create(_name(dev))
    try:
        for command in (("preview",), UP):
            _refused(
                dev.pulumi(*command),
                f"the name {_name(dev)} is taken by network {network.id[:12]} and a volume of",
                f"docker network rm {_name(dev)}; docker volume rm {_name(dev)}",
                f"STREAMS_TAKE_OVER={_name(dev)} pulumi up",
            )
        assert set() == _resources(dev) & {"network", "data", "nats", "image", "store"}
        dev.destroy()
        volume.reload()
    finally:
        network.remove()
        volume.remove()


def test_a_busy_port(dev: Project, engine_client: DockerClient) -> None:
    """Found in preview, on a fresh stack and before the running container goes; another container is named."""
    published = free_port()
    by_hand = engine_client.containers.run(
        dev.settings["image"],
        ["--port", "4222"],
        name=f"{_name(dev)}-other",
        ports={"4222/tcp": ("127.0.0.1", published)},
        detach=True,
    )
    try:
        with _listening() as port:
            fresh = dict(dev.settings)
            dev.configure(**{**fresh, "monitorPort": port, "clientPort": published})
            words = (
                f"port {port} of 127.0.0.1 is in use",
                f"port {published} of 127.0.0.1 is in use by container {by_hand.name}",
            )
            _refused(dev.preview(), *words)
            assert set() == _resources(dev) & {"network", "data", "nats", "image", "store"}
            dev.configure(**fresh)
            dev.up()
            before = _container_id(dev)
            dev.configure(**{**fresh, "monitorPort": port, "clientPort": published})
            for command in (("preview",), UP):
                _refused(dev.pulumi(*command), *words)
            assert before == _container_id(dev)
            dev.configure(**{**fresh, "clientPort": fresh["monitorPort"], "monitorPort": fresh["clientPort"]})
            dev.up()
    finally:
        by_hand.remove(force=True)


def test_what_was_lost_is_found_again(dev: Project, engine_client: DockerClient) -> None:
    """A lost state, the container paused too, or a container that was removed: one up each, and no message is lost."""
    dev.up()
    publish_one_each(_url(dev))
    _lose_state(dev)
    assert dev.preview().code == 0
    engine_client.containers.get(_name(dev)).pause()
    dev.up()
    assert EXPECTED == read_one_each(_url(dev))
    assert dev.unchanged()

    _remove_container(dev, engine_client)
    said = dev.pulumi("up", "--yes")
    assert (0, False) == (said.code, "planned without asking the server" in said.text), said.text


def test_a_renamed_stack(dev: Project, engine_client: DockerClient) -> None:
    """Refused with the ways; renamed back all is well; a destroy under the new name takes down what is there."""
    dev.up()
    publish_one_each(_url(dev))
    old, first = dev.stack, _name(dev)
    _rename(dev, f"{old}-new")
    _refused(dev.pulumi(*UP), f"are named {first}, and the stack is {_name(dev)} now: rename ")
    assert EXPECTED == read_one_each(_url(dev))
    _rename(dev, old)
    assert dev.unchanged()

    _rename(dev, f"{old}-new")
    dev.destroy()
    assert [] == engine_client.containers.list(all=True, filters={"name": first})
    assert [] == engine_client.volumes.list(filters={"name": first})


def _rename(project: Project, stack: str) -> None:
    assert project.pulumi("stack", "rename", stack).code == 0
    project.stack = stack


def test_a_paused_container_and_a_volume_that_stays(dev: Project, engine_client: DockerClient) -> None:
    """Paused is drift, and one up lets it go on; under guard a destroy says that the volume stays."""
    dev.configure(**{**dev.settings, "onDelete": "guard"})
    dev.up()
    before = _container_id(dev)
    container = engine_client.containers.get(_name(dev))
    container.pause()
    try:
        assert "paused" in dev.drift()
        dev.up()
        assert before == _container_id(dev)
        said = dev.destroy()
        assert f"volume {_name(dev)} stays" in said.text
        assert f"docker volume rm {_name(dev)}" in said.text
    finally:
        dev.destroy()
        engine_client.volumes.get(_name(dev)).remove()


def test_a_volume_that_holds_somebody_else_s_stream(dev: Project, engine_client: DockerClient) -> None:
    """A destroy names it and keeps volume and server; approved by name, everything goes."""
    dev.up()
    with closing(JetStream(_url(dev), Credentials())) as client:
        client.create(config("SERVICE", subjects=["service"]))
    publish(_url(dev), "service", 30)

    _refused(dev.pulumi(*DESTROY), f"volume {_name(dev)} holds streams that are not", "SERVICE (30 messages)")
    assert {"SERVICE": 30} == stored(f"nats://127.0.0.1:{dev.settings['clientPort']}")
    assert dev.pulumi(*DESTROY, STREAMS_ALLOW_LOSS="SERVICE").code == 0
    assert [] == engine_client.volumes.list(filters={"name": _name(dev)})


def _container_id(project: Project) -> str:
    exported = json.loads(project.pulumi("stack", "export").text)
    return next(str(each["id"]) for each in exported["deployment"]["resources"] if each["urn"].endswith("::nats"))


def test_the_container_is_to_be_changed(dev: Project) -> None:
    """Preview asks the server that runs, with other ports to come too; a loss is refused before anything is touched."""
    streams: dict[str, Any] = {"HELD": {"subjects": ["held"], "max_age": "7d"}, "GONE": {"subjects": ["gone"]}}
    dev.configure(**{**dev.settings, "catalogue": "streams.yaml"})
    dev.catalogue(**streams)
    dev.up()
    url, before = _url(dev), _container_id(dev)
    publish(url, "held", 20)
    publish(url, "gone", 3)
    dev.catalogue(HELD={"subjects": ["held"], "max_msgs": 5})
    for ports in ({"monitorPort": free_port()}, _ports()):
        dev.configure(**{**dev.settings, **ports})
        for command in (("preview",), UP):
            _refused(dev.pulumi(*command), "max_msgs unlimited -> 5 would delete 15", "GONE: leaving", "3 messages")
    assert (before, {"HELD": 20, "GONE": 3}) == (_container_id(dev), stored(url))

    dev.catalogue(HELD={"subjects": ["held"], "first_seq": 9})
    dev.up(STREAMS_ALLOW_LOSS="HELD,GONE")
    assert {"HELD": 0} == stored(_url(dev)), "replaced, and the removed one is gone, on the port that is new"
    assert dev.unchanged()
