"""A stack finds its streams again: with no state, with an old one, and with services that are faster."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nats
import pytest

from infra.sizing import room
from provisioner.catalogue.reader import load
from provisioner.jetstream.client import JetStream
from provisioner.local_server import server_dir
from tests.e2e.conftest import Project
from tests.e2e.test_services import CATALOGUE, start_services
from tests.support.faults.proxy import proxied
from tests.support.faults.publisher import publishing
from tests.support.five_streams import FIVE_STREAMS
from tests.support.messages import EXPECTED, SUBJECTS, publish_one_each, read_one_each
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.requests import recorded

CHANGING = ("CREATE", "UPDATE", "DELETE", "PURGE")
_DEADLINE_S = 30.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server with the room that the stack gives its own."""
    with running(tmp_path / "nats", jetstream=f"max_file_store: {room(load(CATALOGUE).streams)}") as started:
        yield started


def _state(project: Project) -> Path:
    """The file backend's folder."""
    return Path(project.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))


def _lose_state(project: Project) -> None:
    shutil.rmtree(_state(project) / ".pulumi")
    assert project.pulumi("stack", "init", project.stack).code == 0


def _changing(requests: list[str]) -> list[str]:
    return [subject for subject in requests if subject.split(".")[3] in CHANGING]


def test_an_engine_that_was_killed_while_it_wrote_the_state(external: Project, server: NatsServer) -> None:
    """The file of attributes beside it is empty, and nothing works; without it, everything does."""
    external.up()
    publish_one_each(server.url)
    external.attributes.write_text("")
    said = external.preview()
    assert (True, True) == (said.code != 0, "failed to load checkpoint: EOF" in said.text), said.text
    external.repair_state()
    assert EXPECTED == read_one_each(server.url)
    assert external.unchanged()


def test_a_lost_state(server: NatsServer, external: Project, jetstream: JetStream) -> None:
    """Up on an empty state takes all five over with their messages, says so, and changes nothing."""
    external.up()
    publish_one_each(server.url)
    before = jetstream.streams()
    _lose_state(external)

    with recorded(jetstream, "$JS.API.STREAM.>") as requests:
        said = external.up()
    assert [f"{name} already exists" in said.text for name in SUBJECTS] == [True] * len(SUBJECTS)
    assert [] == _changing(requests)
    assert before == jetstream.streams()
    assert EXPECTED == read_one_each(server.url)
    assert external.unchanged()


def test_a_lost_state_with_the_stack_s_own_server(project: Project) -> None:
    """The server process is found again and goes on running; destroy knows it from then on."""
    folder = project.folder / "nats"
    ports = {"clientPort": free_port(), "monitorPort": free_port()}
    project.configure(server="process", onDelete="delete", storeDir=str(folder), **ports)
    project.up()
    url = f"nats://127.0.0.1:{ports['clientPort']}"
    publish_one_each(url)
    server = server_dir.read(server_dir.ServerDir(folder))
    _lose_state(project)

    project.up()
    assert server == server_dir.read(server_dir.ServerDir(folder))
    assert EXPECTED == read_one_each(url)
    assert project.unchanged()
    project.destroy()
    assert not folder.exists()


def test_an_older_state(server: NatsServer, external: Project, jetstream: JetStream) -> None:
    """A state from before the last changes: up looks at the server, and keeps every message."""
    subjects = {"SAME": "same", "CHANGED": "changed", "MADE_AGAIN": "again", "NEW": "new"}
    streams: dict[str, Any] = {name: {"subjects": [subject]} for name, subject in subjects.items()}
    external.configure(**external.settings, catalogue="streams.yaml")
    external.catalogue(**{name: fields for name, fields in streams.items() if name != "NEW"}, OLD={"subjects": ["old"]})
    external.up()
    older = shutil.copytree(_state(external), _state(external).with_name("older"))
    jetstream.delete("MADE_AGAIN")
    external.catalogue(**{**streams, "CHANGED": {"subjects": ["changed"], "max_age": "7d"}})
    external.up()
    with publishing(server.url, subjects) as publisher:
        publisher.wait_for_more()
        before = _configurations(jetstream)
        shutil.rmtree(_state(external))
        older.rename(_state(external))
        external.up()
        publisher.wait_for_more()
        assert [[]] * len(subjects) == [publisher.missing(jetstream, stream) for stream in subjects]
    assert before == _configurations(jetstream)
    assert external.unchanged()


def _configurations(jetstream: JetStream) -> dict[str, Any]:
    return {name: (live.config, live.created) for name, live in jetstream.streams().items()}


# What a service asks for, beside subjects that are the catalogue's, and whether up then succeeds.
SERVICES: dict[str, tuple[dict[str, Any], bool]] = {
    "the same settings": ({}, True),
    "other settings": ({"max_msgs": 5}, False),
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_faster_by_a_moment(name: str, server: NatsServer, jetstream: JetStream, project: Project) -> None:
    """nats-py creates a stream between up's look and up's own create: taken over, or named in one line."""
    settings, succeeds = SERVICES[name]
    project.catalogue(RACED={"subjects": ["raced"]}, OTHER={"subjects": ["other"]})
    with proxied(server.ports[0]) as proxy:
        project.configure(server="external", url=proxy.url, onDelete="delete", catalogue="streams.yaml")
        trap = proxy.set("STREAM.CREATE.RACED ", lambda: asyncio.run(_add_stream(server.url, settings)))
        said = project.pulumi("up", "--yes", "--skip-preview")
        assert trap.sprung
        assert succeeds == (said.code == 0), said.text
        refused = re.search(r"RACED already exists .* with other settings \(max_msgs 5 -> unlimited\)", said.text)
        assert succeeds == (refused is None), said.text
        assert "Traceback" not in said.text
        live = jetstream.stream("RACED")
        assert live
        assert settings.get("max_msgs", -1) == live.config["max_msgs"], "the service's stream is as it made it"
        if not succeeds:
            jetstream.delete("RACED")
        project.up()
        assert project.unchanged()


async def _add_stream(url: str, settings: dict[str, Any]) -> None:
    connection = await nats.connect(url)
    await connection.jetstream().add_stream(name="RACED", subjects=["raced"], **settings)
    await connection.close()


def test_services_and_up_at_the_same_moment(server: NatsServer, project: Project, jetstream: JetStream) -> None:
    """All the services start while up is creating: nobody is refused, and every stream is as both want it."""
    started: list[Future[None]] = []
    with proxied(server.ports[0]) as proxy, ThreadPoolExecutor() as pool:
        project.configure(server="external", url=proxy.url, onDelete="delete")
        trap = proxy.set("STREAM.CREATE.", lambda: started.append(pool.submit(asyncio.run, start_services(server.url))))
        project.up()
        assert trap.sprung
        started[0].result(_DEADLINE_S)
        assert FIVE_STREAMS.keys() == jetstream.streams().keys()
        assert project.unchanged()
