"""Another server, folder or url: no stored message goes, or is left behind, without approval."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.local_server.store import stream_names
from tests.e2e.conftest import Project
from tests.support.configurations import config
from tests.support.messages import publish, stored
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port


@pytest.fixture
def own(project: Project) -> Project:
    """A stack with a server process and one stream of 20 messages."""
    project.configure(**_process(project))
    project.catalogue(HELD={"subjects": ["held"]})
    project.up()
    publish(_url(project), "held", 20)
    return project


@pytest.fixture
def other(tmp_path: Path) -> Iterator[NatsServer]:
    """A second server."""
    with running(tmp_path / "other") as server:
        yield server


def _process(project: Project, **more: Any) -> dict[str, Any]:
    ports = {"clientPort": free_port(), "monitorPort": free_port()}
    folder = {"storeDir": str(project.folder / "nats")}
    return {"server": "process", "onDelete": "delete", "catalogue": "streams.yaml", **ports, **folder, **more}


def _url(project: Project) -> str:
    return f"nats://127.0.0.1:{project.settings['clientPort']}"


def _refused(project: Project, *words: str) -> None:
    """Preview and up both refuse, in one line with these words, and touch nothing."""
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        result = project.pulumi(*command)
        assert result.code != 0, result.text
        assert [] == [word for word in words if word not in result.text], result.text
        assert "Traceback" not in result.text


def test_process_to_external(own: Project, other: NatsServer) -> None:
    """The folder goes with the process: refused with the count; approved by name, it goes, with its copy."""
    url = _url(own)
    own.configure(server="external", url=other.url, onDelete="delete", catalogue="streams.yaml")
    _refused(own, "HELD: moving from folder", "would delete 20 messages", "STREAMS_ALLOW_LOSS=HELD")
    assert {"HELD": 20} == stored(url)

    copies = own.folder / "copies"
    own.up(STREAMS_ALLOW_LOSS="HELD", STREAMS_BACKUP_TO=str(copies))
    assert not (own.folder / "nats").exists()
    assert ["HELD"] == [folder.name for folder in copies.glob("*/*")]
    assert {"HELD": 0} == stored(other.url)


def test_process_to_external_at_the_same_url(own: Project) -> None:
    """The stack would end on a server that it has stopped itself."""
    url = _url(own)
    own.configure(server="external", url=url, onDelete="delete", catalogue="streams.yaml")
    _refused(own, "is the server of this stack, which goes with this change")
    assert {"HELD": 20} == stored(url)


def test_a_folder_with_streams_of_others(own: Project) -> None:
    """A destroy names what is not the stack's and keeps it, with its server, until it is approved."""
    with closing(JetStream(_url(own), Credentials())) as client:
        client.create(config("SERVICE", subjects=["service"]))
    publish(_url(own), "service", 30)

    refused = own.pulumi("destroy", "--yes", "--skip-preview")
    assert refused.code != 0
    assert "holds streams that are not this stack's to delete: SERVICE (30 messages)" in refused.text
    assert {"SERVICE": 30} == stored(_url(own))
    assert own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="SERVICE").code == 0
    assert not (own.folder / "nats").exists()


def test_a_stream_retained_earlier(own: Project) -> None:
    """What left the catalogue under retain is nobody's to delete any more."""
    own.catalogue(HELD={"subjects": ["held"], "on_delete": "retain"})
    own.up()
    own.catalogue(NEXT={"subjects": ["next"]})
    own.up()
    refused = own.pulumi("destroy", "--yes", "--skip-preview")
    assert refused.code != 0
    assert "HELD (20 messages)" in refused.text
    assert {"HELD": 20} == stored(_url(own))
    assert own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="HELD").code == 0


def test_a_stranger_on_our_port(own: Project, tmp_path: Path) -> None:
    """Our server is dead and another listens on its port with the same names: nothing of it is changed or deleted."""
    port = own.settings["clientPort"]
    record = own.folder / "nats" / "server.json"
    _kill(record)
    with _stranger(tmp_path / "stranger", port):
        with closing(JetStream(_url(own), Credentials())) as client:
            client.create(config("HELD", subjects=["held", "stranger"]))
        publish(_url(own), "held", 555)
        for command in ("up", "destroy", "destroy"):
            result = own.pulumi(command, "--yes", "--skip-preview")
            assert result.code != 0, result.text
            assert "Traceback" not in result.text
        assert {"HELD": 555} == stored(_url(own))


def test_another_url_and_a_replacing_field(project: Project, server: NatsServer, other: NatsServer) -> None:
    """Refused with what would be left behind, and with what is deleted there because it leaves the catalogue."""
    project.configure(server="external", url=server.url, onDelete="delete", catalogue="streams.yaml")
    project.catalogue(HELD={"subjects": ["held"]}, GONE={"subjects": ["gone"]})
    project.up()
    publish(server.url, "held", 100)
    publish(server.url, "gone", 7)
    project.configure(server="external", url=other.url, onDelete="delete", catalogue="streams.yaml")
    project.catalogue(HELD={"subjects": ["held"], "first_seq": 9})
    gone = "GONE: leaving the catalogue would delete 7 messages"
    _refused(project, "HELD: moving from", "would leave 100 messages", gone)
    assert {"HELD": 100, "GONE": 7} == stored(server.url)

    project.up(STREAMS_ALLOW_LOSS="HELD,GONE")
    assert {"HELD": 100} == stored(server.url)
    assert {"HELD": 0} == stored(other.url)
    assert project.unchanged()


def test_another_folder(own: Project) -> None:
    """The old folder stays: preview says so, and asks first."""
    folder = own.folder / "second"
    own.configure(**{**own.settings, "storeDir": str(folder)})
    _refused(own, "HELD: moving from folder", "would leave 20 messages", "behind")
    own.up(STREAMS_ALLOW_LOSS="HELD")
    assert (own.folder / "nats" / "data").exists()
    shutil.rmtree(own.folder / "nats")


def test_a_restart_ends_what_is_in_memory(own: Project) -> None:
    """Other ports restart the server: what is in memory needs approval, and is copied; what is on disk stays."""
    own.catalogue(HELD={"subjects": ["held"]}, BRIEF={"subjects": ["brief"], "storage": "memory"})
    own.up()
    url = _url(own)
    publish(url, "brief", 7)
    own.configure(**{**own.settings, "clientPort": free_port()})
    _refused(own, "BRIEF: restarting the server would delete 7 messages", "in memory", "STREAMS_ALLOW_LOSS=BRIEF")
    assert {"HELD": 20, "BRIEF": 7} == stored(url)

    copies = own.folder / "copies"
    own.up(STREAMS_ALLOW_LOSS="BRIEF", STREAMS_BACKUP_TO=str(copies))
    assert {"HELD": 20, "BRIEF": 0} == stored(_url(own))
    assert ["BRIEF"] == [folder.name for folder in copies.glob("*/*")]
    assert own.unchanged()


def test_another_folder_and_a_removal(own: Project) -> None:
    """The old server is stopped before the streams that leave are deleted: they stay behind, approved, in one up."""
    own.catalogue(
        HELD={"subjects": ["held"]}, GONE={"subjects": ["gone"]}, KEPT={"subjects": ["kept"], "on_delete": "guard"}
    )
    own.up()
    publish(_url(own), "gone", 7)
    publish(_url(own), "kept", 8)
    own.configure(**_process(own, storeDir=str(own.folder / "second")))
    own.catalogue(HELD={"subjects": ["held"]})
    _refused(own, "GONE: moving from", "KEPT: moving from", "would leave 8 messages")
    own.up(STREAMS_ALLOW_LOSS="HELD,GONE,KEPT", STREAMS_BACKUP_TO=str(own.folder / "copies"))
    assert {"HELD": 0} == stored(_url(own))
    assert {"HELD", "GONE", "KEPT"} == stream_names(own.folder / "nats" / "data")
    assert own.unchanged()
    shutil.rmtree(own.folder / "nats")


@contextmanager
def _stranger(folder: Path, port: int) -> Iterator[None]:
    """A server that is not the stack's, on its port."""
    folder.mkdir()
    server = NatsServer(folder, ports=(port, free_port()))
    try:
        server.start()
        yield
    finally:
        server.kill()


def _kill(record: Path) -> None:
    os.kill(json.loads(record.read_text())["process"]["pid"], signal.SIGKILL)
