"""Whether the docker stack can be had is found out by asking."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from provisioner.docker_engine import api
from tools import docker_plugin
from tools import paths as places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def _engine(answer: bytes, address: str = "127.0.0.1") -> Iterator[str]:
    """Answer one request over TCP, as an engine or as something else."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://{f'[{address}]' if ':' in address else address}:{server.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_an_engine_that_answers_is_there(address: str) -> None:
    """Any answer proves an engine, over IPv4 and IPv6."""
    with _engine(b"HTTP/1.0 200 OK\r\n\r\nOK", address) as host:
        assert api.answers(host)


def test_silence_is_no_engine() -> None:
    """A connection that is closed without a word is no engine."""
    with _engine(b"") as host:
        assert not api.answers(host)


def test_a_socket_file_alone_is_no_engine(tmp_path: Path) -> None:
    """An engine that was killed leaves its socket behind."""
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "docker.sock"))

    assert not api.answers(f"unix://{tmp_path}/docker.sock")


def test_docker_host_is_the_only_place_when_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user says is not second-guessed."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")

    assert api.hosts() == ["tcp://elsewhere:2375"]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pulumi` that cannot get the plugin and writes down each time it is asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    program = tmp_path / "pulumi"
    program.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\necho error: no such host\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "asked"


def test_a_refusal_is_remembered_for_a_while(asked: Path) -> None:
    """The second run asks nothing; one that is told to, or one an hour later, asks again."""
    for again, times in ((False, 1), (False, 1), (True, 2)):
        assert not docker_plugin.ensure(os.environ, again=again)
        assert asked.read_text().count("\n") == times

    refused = next(places.cache().glob("docker-plugin-*-refused"))
    os.utime(refused, (0, 0))

    assert not docker_plugin.ensure(os.environ, again=False)
    assert asked.read_text().splitlines() == 3 * ["plugin install resource docker 5.2.0"]


def test_a_plugin_that_is_there_is_not_asked_for(asked: Path, tmp_path: Path) -> None:
    """What Pulumi will find in its plugin folder is enough."""
    plugin = tmp_path / "home" / "plugins" / "resource-docker-v5.2.0" / "pulumi-resource-docker"
    plugin.parent.mkdir(parents=True)
    plugin.touch()

    assert docker_plugin.ensure(os.environ, again=True)
    assert not asked.exists()


def test_a_silent_engine_is_named_with_every_place() -> None:
    """The line that make prints before Pulumi is asked says where an engine was looked for."""
    hosts = ["unix:///nowhere/docker.sock", "unix:///nowhere/else.sock"]

    assert docker_plugin.engine_problem(hosts) == f"no Docker engine answers at {hosts[0]} or {hosts[1]}"
