"""A docker stack when the machine, and with it the Docker engine, starts again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker.client import DockerClient

from tests.e2e.conftest import ROOT, Project
from tests.support import docker_daemon, docker_plugin
from tests.support.docker_daemon import Daemon
from tests.support.nats_image import ensure_image
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = pytest.mark.docker

NAME = "prediction-streams-test"
_DEADLINE_S = 60.0
_PUBLISH = "import sys; from tests.support.messages import publish_one_each; publish_one_each(sys.argv[1])"
_READ = "import sys; from tests.support.messages import EXPECTED, read_one_each as r; assert EXPECTED == r(sys.argv[1])"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Daemon]:
    """An engine of the test's own."""
    if problem := docker_daemon.problem():
        (pytest.fail if os.environ.get("REQUIRE_ENGINES") else pytest.skip)(problem)
    with docker_daemon.daemon(tmp_path / "docker") as started:
        yield started


@pytest.fixture
def dev(machine: Daemon, project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Project:
    """A docker stack on it, worked on by a pulumi in its network."""
    monkeypatch.setenv("DOCKER_HOST", machine.host)
    project.environment["DOCKER_HOST"] = machine.host
    docker_plugin.install(Path(project.environment["PULUMI_HOME"]))
    pulumi = shutil.which("pulumi", path=project.environment["PATH"])
    wrapper = tmp_path / "programs/pulumi"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {" ".join(machine.inside)} {pulumi} "$@"\n')
    wrapper.chmod(0o755)
    project.environment["PATH"] = f"{wrapper.parent}:{project.environment['PATH']}"
    project.configure(
        server="docker", onDelete="delete", image=ensure_image(), clientPort=free_port(), monitorPort=free_port()
    )
    return project


def test_the_engine_starts_again(dev: Project, machine: Daemon) -> None:
    """The container is up again with its messages, and nothing is drift; one stopped by hand stays so."""
    dev.up()
    url = f"nats://127.0.0.1:{dev.settings['clientPort']}"
    _python(machine, _PUBLISH, url)
    with closing(docker.DockerClient(machine.host)) as client:
        before = _started(client)
        machine.stop()
        machine.start()
        until("the container is healthy again", lambda: before != _started(client) and _is_healthy(client), _DEADLINE_S)
        _python(machine, _READ, url)
        assert "no drift" in _drift(machine, url, dev)
        assert dev.unchanged()

        client.containers.get(NAME).stop()
        machine.stop()
        machine.start()
        assert "exited" == client.containers.get(NAME).status
        client.containers.get(NAME).start()
        until("the container is healthy for the destroy", lambda: _is_healthy(client), _DEADLINE_S)


def _started(client: DockerClient) -> str:
    return str(client.containers.get(NAME).attrs["State"]["StartedAt"])


def _is_healthy(client: DockerClient) -> bool:
    return bool(client.containers.get(NAME).attrs["State"].get("Health", {}).get("Status") == "healthy")


def _python(machine: Daemon, code: str, *arguments: str) -> str:
    """Run Python in the engine's network; what it prints."""
    command = [*machine.inside, sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=_DEADLINE_S).stdout


def _drift(machine: Daemon, url: str, dev: Project) -> str:
    options = json.dumps(["drift", "--url", url, "--state", str(dev.state)])
    return _python(machine, f"from provisioner.cli.main import main; main({options})")
