"""Messages in the memory of a server of the stack's own end with its process, though its folder stays."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.local_server import server_dir
from tests.e2e.conftest import Project
from tests.support.configurations import config
from tests.support.messages import publish, stored
from tests.support.ports import free_port

DESTROY = ("destroy", "--yes", "--skip-preview")


@pytest.fixture
def own(project: Project) -> Iterator[Project]:
    """A stack with a server process, with 7 messages in a retained stream in memory."""
    _configure(project, "nats")
    project.catalogue(BRIEF={"subjects": ["brief"], "storage": "memory", "on_delete": "retain"})
    project.up()
    publish(_url(project), "brief", 7)
    yield project
    project.pulumi(*DESTROY, STREAMS_ALLOW_LOSS=f"BRIEF,SERVICE,folder {project.settings['storeDir']}")


def _configure(project: Project, folder: str, **settings: Any) -> None:
    ports = {"clientPort": free_port(), "monitorPort": free_port()}
    store = {"storeDir": str(project.folder / folder)}
    project.configure(server="process", onDelete="delete", catalogue="streams.yaml", **ports, **store, **settings)


def _url(project: Project) -> str:
    return f"nats://127.0.0.1:{project.settings['clientPort']}"


def _names(copies: Path) -> list[str]:
    return sorted(folder.name for folder in copies.glob("*/*"))


def test_a_destroy(own: Project) -> None:
    """Retained, and yet it would go with the server: refused with the number; approved by name, with its copy."""
    refused = own.pulumi(*DESTROY)
    assert refused.code != 0, refused.text
    assert f"folder {own.folder / 'nats'} stays, but messages in the memory of its server end with it" in refused.text
    assert "BRIEF (7 messages); to let them go: STREAMS_ALLOW_LOSS=BRIEF pulumi destroy" in refused.text
    assert {"BRIEF": 7} == stored(_url(own))

    copies = own.folder / "copies"
    said = own.pulumi(*DESTROY, STREAMS_ALLOW_LOSS="BRIEF", STREAMS_BACKUP_TO=str(copies))
    assert (0, True) == (said.code, "BRIEF: 7 messages kept in" in said.text), said.text
    assert ["BRIEF"] == _names(copies)


def test_a_server_that_hangs(own: Project) -> None:
    """Nobody can tell what is in its memory: a destroy and a restart are refused; what is shown a shell can read."""
    record = server_dir.read(server_dir.ServerDir(own.folder / "nats"))
    assert record
    assert record.process
    os.kill(record.process.pid, signal.SIGSTOP)
    try:
        refused = own.pulumi(*DESTROY)
        assert refused.code != 0, refused.text
        assert "nobody can tell what it holds in memory" in refused.text
        assert f"STREAMS_ALLOW_LOSS='folder {own.folder / 'nats'}' pulumi destroy" in refused.text
        before = own.settings
        for settings in before, {**before, "syncInterval": "2m"}:  # a hanging server is restarted as well
            own.configure(**settings)
            refused = own.preview()
            assert refused.code != 0, refused.text
            restarting = "BRIEF: restarting the server would delete what it holds in memory, and nobody can tell"
            assert restarting in refused.text
        own.configure(**before)
    finally:
        os.kill(record.process.pid, signal.SIGCONT)
    own.up()
    assert {"BRIEF": 7} == stored(_url(own))


def test_another_folder(own: Project) -> None:
    """What is in memory is deleted, not left behind; a service's own too, and both are copied first."""
    with closing(JetStream(_url(own), Credentials())) as client:
        client.create(config("SERVICE", subjects=["service"], storage="memory"))
    publish(_url(own), "service", 3)
    copies = own.folder / "copies"
    _configure(own, "second", backupTo=str(copies))
    refused = own.preview()
    assert refused.code != 0, refused.text
    for words in ("BRIEF: moving from folder", "would delete 7 messages", "SERVICE: moving", "would delete 3 messages"):
        assert words in refused.text
    own.up(STREAMS_ALLOW_LOSS="BRIEF,SERVICE")
    assert {"BRIEF": 0} == stored(_url(own))
    assert ["BRIEF", "SERVICE"] == _names(copies)
    assert own.unchanged()
    shutil.rmtree(own.folder / "nats")
