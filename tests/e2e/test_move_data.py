"""``STREAMS_MOVE_DATA``: streams go along to another server, kind of server or folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Project
from tests.support.faults.flood import flooding, numbers
from tests.support.faults.killing import killed
from tests.support.faults.proxy import proxied
from tests.support.messages import publish, stored
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.raw_nats import raw_client

MOVE: dict[str, Any] = {"STREAMS_MOVE_DATA": "yes"}
STREAMS: dict[str, dict[str, Any]] = {
    "HELD": {"subjects": ["held"]},
    "OTHER": {"subjects": ["other"]},
}
_KILL_TIMEOUT_S = 10.0


@pytest.fixture
def second(tmp_path: Path) -> Iterator[NatsServer]:
    """Where the streams are to go."""
    with running(tmp_path / "second") as server:
        yield server


def _external(url: str) -> dict[str, Any]:
    return {"server": "external", "url": url, "onDelete": "delete", "catalogue": "streams.yaml"}


def _process(project: Project, folder: str, ports: Mapping[str, int]) -> dict[str, Any]:
    own = {"server": "process", "onDelete": "delete", "catalogue": "streams.yaml"}
    return {**own, **ports, "storeDir": str(project.folder / folder)}


def _ports() -> dict[str, int]:
    return {"clientPort": free_port(), "monitorPort": free_port()}


def _url(settings: Mapping[str, Any]) -> str:
    return str(settings.get("url") or f"nats://127.0.0.1:{settings['clientPort']}")


def _copies(project: Project) -> list[Path]:
    return [path for path in (project.folder / ".carried").rglob("*") if path.is_file()]


def _moved(project: Project, settings: dict[str, Any], catalogue: dict[str, Any]) -> None:
    """Preview names each stream and its messages; one up, and everything is there."""
    project.configure(**settings)
    project.catalogue(**catalogue)
    refused = project.preview()
    assert refused.code != 0
    assert "to take it along: STREAMS_MOVE_DATA=yes" in refused.text
    planned = project.preview(**MOVE)
    assert planned.code == 0, planned.text
    assert "HELD: moves from " in planned.text
    assert "20 messages" in planned.text
    project.up(**MOVE)
    assert {"HELD": 20, "OTHER": 3} == stored(_url(settings))
    assert project.unchanged()
    assert [] == _copies(project)


def _filled(project: Project, settings: dict[str, Any]) -> None:
    project.configure(**settings)
    project.catalogue(**STREAMS)
    project.up()
    publish(_url(settings), "held", 20)
    publish(_url(settings), "other", 3)


def test_to_another_server_and_storage(project: Project, server: NatsServer, second: NatsServer) -> None:
    """From one external server to another, with a change that needs a new stream; the first has nothing left."""
    _filled(project, _external(server.url))
    _moved(project, _external(second.url), {**STREAMS, "HELD": {"subjects": ["held"], "storage": "memory"}})
    assert {} == stored(server.url)


def test_from_a_process_to_another_folder_and_to_an_external_server(project: Project, second: NatsServer) -> None:
    """The process is started anew on other data; then it goes, and its data with it."""
    ports = _ports()
    _filled(project, _process(project, "nats", ports))
    _moved(project, _process(project, "other", ports), STREAMS)
    _moved(project, _external(second.url), STREAMS)
    assert not (project.folder / "other").exists()


def test_under_a_publisher(project: Project, server: NatsServer, second: NatsServer) -> None:
    """Whatever the old server has acknowledged is on the new one."""
    project.configure(**_external(server.url))
    project.catalogue(**STREAMS)
    project.up()
    project.configure(**_external(second.url))
    with flooding(server.url, "held") as flood:
        flood.wait_for(300)
        project.up(**MOVE)
    found = numbers(second.url, "HELD")
    assert set() == flood.acknowledged - found


@pytest.mark.parametrize("moment", ["STREAM.RESTORE.HELD", "STREAM.DELETE."])
def test_a_run_that_is_killed(project: Project, server: NatsServer, second: NatsServer, moment: str) -> None:
    """In the middle of the move: the next up completes it without being told."""
    reached, over = threading.Event(), threading.Event()
    _filled(project, _external(server.url))
    where = server if moment == "STREAM.DELETE." else second
    with proxied(where.ports[0]) as proxy:
        if where is server:
            project.configure(**_external(proxy.url))
            project.up(STREAMS_ALLOW_LOSS="HELD,OTHER")
        project.configure(**_external(proxy.url if where is second else second.url))
        proxy.set(moment, lambda: _hold(reached, over))
        with killed(project, "up", after=reached, **MOVE) as at_work:
            over.set()
            assert at_work
        project.recover()
        project.up()
        assert {"HELD": 20, "OTHER": 3} == stored(second.url)
        assert project.unchanged()
        assert [] == _copies(project)


def test_a_stream_that_is_in_the_way(project: Project, server: NatsServer, second: NatsServer) -> None:
    """Refused before anything is touched, with what is there; both servers are as they were."""
    _filled(project, _external(server.url))
    before = stored(server.url)
    project.configure(**_external(second.url))
    with raw_client(second.url) as raw:
        raw.ask("STREAM.CREATE.HELD", {"name": "HELD", "subjects": ["held"]})
    publish(second.url, "held", 1)
    refused = project.preview(**MOVE)
    assert refused.code != 0
    assert f"HELD: {second.url} has a stream of this name, with 1 message" in refused.text
    assert before == stored(server.url)
    project.configure(**_external(server.url))
    assert project.unchanged()


def _hold(reached: threading.Event, over: threading.Event) -> None:
    reached.set()
    over.wait(_KILL_TIMEOUT_S)
