"""What the user asked for: NATS in a container, its five streams as managed state."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import pytest
from docker.client import DockerClient
from docker.models.containers import Container

from infra.servers.docker_engine import engine_answers
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support import docker_plugin
from tests.support.messages import EXPECTED, SUBJECTS, publish_one_each, read_one_each
from tests.support.nats_image import ensure_image
from tests.support.ports import free_port

pytestmark = pytest.mark.docker


@pytest.fixture
def engine_client() -> Iterator[DockerClient]:
    """The Docker engine; in CI there must be one."""
    if not engine_answers():
        (pytest.fail if os.environ.get("REQUIRE_ENGINES") else pytest.skip)("no Docker engine answers")
    with closing(docker.from_env()) as client:
        yield client


@pytest.fixture
def dev(project: Project, engine_client: DockerClient) -> Project:
    """A docker stack with a name and ports of its own."""
    assert engine_client
    docker_plugin.install(Path(project.environment["PULUMI_HOME"]))
    project.rename(f"test-{uuid4().hex[:8]}")  # on the engine, another test's leftovers are not ours
    project.configure(
        server="docker", onDelete="delete", image=ensure_image(), clientPort=free_port(), monitorPort=free_port()
    )
    return project


def _name(project: Project) -> str:
    return f"prediction-streams-{project.stack}"


def _url(project: Project) -> str:
    outputs: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json").text)
    return str(outputs["url"])


def test_the_life_of_a_stack(dev: Project, engine_client: DockerClient) -> None:
    """One up makes it, a second finds nothing to do, one up heals whatever was done by hand, destroy leaves nothing."""
    assert dev.preview().code == 0, "the first preview has nobody to ask"
    dev.up()
    publish_one_each(_url(dev))
    assert dev.unchanged()
    container = engine_client.containers.get(_name(dev))
    assert {"max-size": "64m", "max-file": "2"} == container.attrs["HostConfig"]["LogConfig"]["Config"]
    assert {"127.0.0.1"} == {binding["HostIp"] for port in container.ports.values() for binding in port or ()}

    _is_hardened(container)
    container.restart()
    _is_hardened(container)
    assert EXPECTED == read_one_each(_url(dev)), "a restarted server has its messages"

    container.remove(force=True)
    assert dev.drift()
    dev.up()
    assert EXPECTED == read_one_each(_url(dev)), "a container made again has its messages"
    assert dev.unchanged()

    engine_client.containers.get(_name(dev)).stop()
    assert dev.drift()
    dev.up()
    assert EXPECTED == read_one_each(_url(dev))

    dev.configure(**{**dev.settings, "clientPort": free_port()})
    dev.up()
    assert EXPECTED == read_one_each(_url(dev)), "a container on another port has its messages"
    assert dev.unchanged()

    engine_client.containers.get(_name(dev)).remove(force=True)
    engine_client.volumes.get(_name(dev)).remove()
    dev.up()
    with closing(JetStream(_url(dev), Credentials())) as client:
        assert set(SUBJECTS) == set(client.streams()), "streams are made again on an empty volume"
    assert dev.unchanged()

    dev.destroy()
    assert [] == engine_client.containers.list(all=True, filters={"name": _name(dev)})
    assert [] == engine_client.volumes.list(filters={"name": _name(dev)})
    assert [] == engine_client.networks.list(names=[_name(dev)])


def _is_hardened(container: Container) -> None:
    """The same, and files that it would write are refused or in memory."""
    _is_without_rights(container)
    assert "Read-only" in container.exec_run("touch /etc/x").output.decode()


def _is_without_rights(container: Container) -> None:
    """The kernel says so of the server, not the engine."""
    status = container.exec_run("cat /proc/1/status").output.decode()
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {"65532"} == {*facts["Uid"].split(), *facts["Gid"].split()}
    assert {"0000000000000000"} == {facts[each] for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert facts["NoNewPrivs"] == "1"
    container.reload()
    assert container.attrs["HostConfig"]["PidsLimit"] == 1024


def test_an_older_stack_is_hardened_in_place(dev: Project, engine_client: DockerClient) -> None:
    """What root wrote is the server's after one up, with every message; limits come and go as settings."""
    with _older(dev):
        dev.up()
        publish_one_each(_url(dev))
        assert "0 0" == _owner(engine_client.containers.get(_name(dev)))
    plan = dev.preview().text
    assert 'user        : "65532:65532"' in plan
    dev.up()
    assert EXPECTED == read_one_each(_url(dev))
    assert "65532 65532" == _owner(engine_client.containers.get(_name(dev)))
    assert dev.unchanged()
    assert [_name(dev)] == [each.name for each in engine_client.containers.list(all=True, filters={"name": _name(dev)})]

    free = dev.settings
    dev.configure(**free, memory="256MiB", cpus="0.5", pids="200")
    dev.up()
    host = engine_client.containers.get(_name(dev)).attrs["HostConfig"]
    assert (256 * 1024**2, 256 * 1024**2, 500_000_000) == (host["Memory"], host["MemorySwap"], host["NanoCpus"])
    assert 200 == engine_client.api.inspect_container(_name(dev))["HostConfig"]["PidsLimit"]
    assert 128 * 1024**2 == _jsz(dev)["config"]["max_memory"]
    assert EXPECTED == read_one_each(_url(dev))
    assert dev.unchanged()


@contextmanager
def _older(project: Project) -> Iterator[None]:
    """The program as it was when the container was root's, with all that Docker allows by default."""
    infra = project.folder / "infra"
    new = infra.readlink()
    infra.unlink()
    shutil.copytree(new, infra)
    for name, lines in OLDER.items():
        with (infra / "servers" / name).open("a") as module:
            module.write(lines)
    yield
    shutil.rmtree(infra)
    infra.symlink_to(new)


OLDER = {
    "container.py": "def privileges(**_): return {}\ndef described(_): return ''\n",
    "orphans.py": "give_volume = limit_pids = lambda *_: None\n",
}


def _owner(container: Container) -> str:
    return str(container.exec_run(["stat", "-c", "%u %g", "/data/jetstream/$G/streams"]).output.decode().strip())


def _jsz(project: Project) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{project.settings['monitorPort']}/jsz", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_without_an_engine(dev: Project) -> None:
    """One line names what is missing and the other stack; nothing is half done."""
    said = dev.pulumi("preview", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert said.code != 0
    assert "local" in said.text
    assert "Traceback" not in said.text


def test_a_name_that_is_taken_is_found_in_preview(dev: Project, engine_client: DockerClient) -> None:
    """A container that somebody made by hand under our name is left alone, and named in one line."""
    by_hand = engine_client.containers.create(dev.settings["image"], name=_name(dev))
    try:
        refused = dev.preview()
    finally:
        by_hand.remove(force=True)

    assert refused.code != 0
    assert f"the name {_name(dev)} is taken by container {by_hand.short_id}" in refused.text
    assert f"docker rm --force {_name(dev)}" in refused.text
    assert "Traceback" not in refused.text
