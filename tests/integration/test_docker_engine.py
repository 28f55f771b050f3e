"""A docker stack without Docker fails at once, in one line that says what is missing."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from infra.servers.docker_engine import require_docker
from provisioner.docker_engine import api
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a home folder with the docker plugin, and no engine but its own."""
    (tmp_path / "plugins/resource-docker-v5.2.0").mkdir(parents=True)
    (tmp_path / "plugins/resource-docker-v5.2.0/pulumi-resource-docker").touch()
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    monkeypatch.setattr(api, "TIMEOUT_S", 0.2)
    return tmp_path


@contextmanager
def engine(path: Path, answer: bytes) -> Iterator[None]:
    """Listen on a socket file, and send each caller the answer."""

    def serve() -> None:
        while True:
            connection = server.accept()[0]
            held.append(connection)  # an engine that hangs does not hang up
            if not connection.recv(1024):
                return
            connection.sendall(answer)

    held: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_UNIX) as last:
                last.connect(str(path))
                last.shutdown(socket.SHUT_WR)
                thread.join(timeout=5)
            for connection in held:
                connection.close()


def test_an_engine_that_answers_is_enough(home: Path) -> None:
    """Any answer will do: the plugin speaks with the engine, not we."""
    with engine(home / "docker.sock", b"HTTP/1.0 200 OK\r\n\r\nOK"):
        require_docker()


def test_no_engine_names_the_socket_and_the_other_stack(home: Path) -> None:
    """The line says where we looked and what works without Docker."""
    with pytest.raises(ProvisionerError, match=f"at unix://{home}/docker.sock .*make up STACK=local"):
        require_docker()


def test_an_engine_that_hangs_is_none(home: Path) -> None:
    """A socket that accepts and says nothing is given up within the deadline."""
    with engine(home / "docker.sock", b""), pytest.raises(ProvisionerError, match="no Docker engine answers"):
        require_docker()


def test_the_selected_context_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker Desktop and Colima are found as the docker command line finds them."""
    monkeypatch.delenv("DOCKER_HOST")
    context = home / "contexts" / "meta" / hashlib.sha256(b"colima").hexdigest()
    context.mkdir(parents=True)
    (home / "config.json").write_text(json.dumps({"currentContext": "colima"}))
    endpoint = {"Host": f"unix://{home}/colima.sock"}
    (context / "meta.json").write_text(json.dumps({"Name": "colima", "Endpoints": {"docker": endpoint}}))

    with engine(home / "colima.sock", b"OK"):
        require_docker()


def test_an_ssh_host_is_left_to_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be asked from here is no reason to refuse."""
    monkeypatch.setenv("DOCKER_HOST", "ssh://somewhere")

    require_docker()


def test_no_plugin_says_how_to_get_it(home: Path) -> None:
    """The line names the command and the other stack."""
    (home / "plugins/resource-docker-v5.2.0/pulumi-resource-docker").unlink()

    with pytest.raises(ProvisionerError, match=r"docker plugin is not installed .*pulumi plugin install.*STACK=local"):
        require_docker()


def test_a_plugin_that_pulumi_may_fetch_is_not_missed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the official toolchain Pulumi downloads the plugin by itself."""
    (home / "plugins/resource-docker-v5.2.0/pulumi-resource-docker").unlink()
    monkeypatch.delenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION")

    with engine(home / "docker.sock", b"OK"):
        require_docker()
