"""A docker stack without Docker fails at once, in one line that says what is missing."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from infra.servers.docker_engine import require_docker, require_name
from provisioner.errors import ProvisionerError
from tools import docker_probe

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
    monkeypatch.setattr(docker_probe, "TIMEOUT_S", 0.2)
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


def _response(body: object) -> bytes:
    text = json.dumps(body)
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


OWN = {"prediction-streams.project": "p", "prediction-streams.stack": "dev"}


@pytest.mark.parametrize("labels", [None, {}, {**OWN, "prediction-streams.stack": "other"}])
def test_a_name_that_another_container_has_is_refused(home: Path, labels: dict[str, str] | None) -> None:
    """A container made by hand, or by another stack: the line says which it is and what to do."""
    container = {"Id": "0123456789abcdef", "Config": {"Image": "nats:2", "Labels": labels}}

    with engine(home / "docker.sock", _response(container)), pytest.raises(ProvisionerError) as caught:
        require_name("p-dev", OWN)

    assert str(caught.value) == (
        "server docker: the name p-dev is taken by container 0123456789ab (image nats:2), which is not this stack's; "
        "rename it (docker rename p-dev OTHER) or remove it (docker rm --force p-dev)"
    )


@pytest.mark.parametrize(
    "answer",
    [
        _response({"Id": "1", "Config": {"Labels": {**OWN, "more": "x"}}}),
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
        b"SSH-2.0-x\r\n",
    ],
)
def test_a_name_that_is_ours_or_free_is_taken(home: Path, answer: bytes) -> None:
    """This stack's container may be there; an engine that cannot be asked is left to the plugin."""
    with engine(home / "docker.sock", answer):
        require_name("p-dev", OWN)
