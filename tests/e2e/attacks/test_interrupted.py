"""A run that was approved and ended half way: the next one, without approval, is refused before it touches anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.faults.killing import killed
from tests.support.faults.proxy import Proxy, proxied
from tests.support.messages import publish
from tests.support.nats_server import NatsServer, running

_KILL_TIMEOUT_S = 10.0


@pytest.fixture
def proxy(server: NatsServer) -> Iterator[Proxy]:
    """Between the stack and the server."""
    with proxied(server.ports[0]) as made:
        yield made


def _seen(url: str) -> dict[str, tuple[object, int]]:
    """Each stream's description and messages."""
    with closing(JetStream(url, Credentials())) as client:
        return {name: (info.config["description"], info.messages) for name, info in client.streams().items()}


def _interrupted(project: Project, proxy: Proxy, server: NatsServer, request: str, **environment: str) -> None:
    """An up during which the server dies at a request, and runs again afterwards."""
    trap = proxy.set(request, server.kill)
    result = project.pulumi("up", "--yes", "--skip-preview", STREAMS_REQUEST_TIMEOUT="1", **environment)
    server.start()
    assert trap.sprung
    assert result.code != 0, result.text


def _refused(project: Project, *words: str) -> None:
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        result = project.pulumi(*command)
        assert result.code != 0, result.text
        assert [] == [word for word in words if word not in result.text], result.text


def _configure(project: Project, url: str, **streams: dict[str, Any]) -> None:
    project.configure(server="external", url=url, onDelete="delete", catalogue="streams.yaml")
    project.catalogue(**streams)


def test_a_removal(project: Project, proxy: Proxy, server: NatsServer) -> None:
    """The stream is still in the state and leaves the catalogue: its loss is asked about anew, before other changes."""
    _configure(project, proxy.url, GONE={"subjects": ["gone"]}, KEPT={"subjects": ["kept"]})
    project.up()
    publish(server.url, "gone", 20)
    _configure(project, proxy.url, KEPT={"subjects": ["kept"]})
    _interrupted(project, proxy, server, "STREAM.DELETE.GONE", STREAMS_ALLOW_LOSS="GONE")

    _configure(project, proxy.url, KEPT={"subjects": ["kept"], "description": "next"}, NEW={"subjects": ["new"]})
    _refused(project, "GONE: leaving the catalogue would delete 20 messages", "STREAMS_ALLOW_LOSS=GONE")
    assert {"GONE": ("", 20), "KEPT": ("", 0)} == _seen(server.url)
    project.up(STREAMS_ALLOW_LOSS="GONE")
    assert {"KEPT": ("next", 0), "NEW": ("", 0)} == _seen(server.url)
    assert project.unchanged()


def test_a_stream_that_a_killed_run_has_made(project: Project, proxy: Proxy, server: NatsServer) -> None:
    """Taken back, the edit leaves a stream that no state knows: preview says so, and what it is in the way of."""
    _configure(project, proxy.url, KEPT={"subjects": ["kept"]})
    project.up()
    _configure(project, proxy.url, KEPT={"subjects": ["kept"]}, NEW={"subjects": ["new"]})
    _killed(project, proxy, "STREAM.CREATE.NEW")
    publish(server.url, "new", 5)

    _configure(project, proxy.url, KEPT={"subjects": ["kept"]})
    said = project.preview()
    assert (0, True) == (said.code, "It is left as it is, with 5 messages on new" in said.text), said.text
    project.up()
    assert {"KEPT": ("", 0), "NEW": ("", 5)} == _seen(server.url)
    _configure(project, proxy.url, KEPT={"subjects": ["kept", "new"]})
    _refused(project, "KEPT: subjects[1] 'new' overlaps 'new' of stream NEW")
    _configure(project, proxy.url, KEPT={"subjects": ["kept"]})


def test_an_update_of_a_killed_run(project: Project, proxy: Proxy, server: NatsServer) -> None:
    """What is there and stands in no state can be our own doing: the plan accuses nobody for certain."""
    _configure(project, proxy.url, KEPT={"subjects": ["kept"], "description": "first"})
    project.up()
    _configure(project, proxy.url, KEPT={"subjects": ["kept"], "description": "second"})
    _killed(project, proxy, "STREAM.UPDATE.KEPT")
    assert {"KEPT": ("second", 0)} == _seen(server.url)
    _configure(project, proxy.url, KEPT={"subjects": ["kept"], "description": "third"})
    said = project.up()
    assert "(description: first -> second), or by a run of ours that was cut short" in said.text
    assert project.unchanged()


def _killed(project: Project, proxy: Proxy, request: str) -> None:
    """An up whose engine is killed when the server has done a request, before the answer arrives."""
    reached, over = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        over.wait(_KILL_TIMEOUT_S)

    proxy.set(request, hold, lose_answer=True)
    with killed(project, "up", after=reached) as at_work:
        over.set()
        assert at_work
    project.recover()


def test_another_url(project: Project, proxy: Proxy, server: NatsServer, tmp_path: Path) -> None:
    """Streams of the state that are still at the old server are asked about, and so are those at the new one."""
    streams = {name: {"subjects": [name.lower()]} for name in ("ONE", "TWO")}
    with running(tmp_path / "first") as first:
        _configure(project, first.url, **streams)
        project.up()
        publish(first.url, "one", 20)
        publish(first.url, "two", 30)
        _configure(project, proxy.url, **streams)
        _interrupted(project, proxy, server, "STREAM.CREATE.", STREAMS_ALLOW_LOSS="ONE,TWO")

        _refused(project, "ONE: moving from", "would leave 20 messages", "TWO: moving from", "would leave 30 messages")
        project.up(STREAMS_ALLOW_LOSS="ONE,TWO")
        assert {"ONE": ("", 20), "TWO": ("", 30)} == _seen(first.url)
        assert {"ONE": ("", 0), "TWO": ("", 0)} == _seen(server.url)
        assert project.unchanged()
