"""The server's port changes together with the streams: what leaves the catalogue is found where the server now is."""

from __future__ import annotations

from contextlib import closing

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.ports import free_port

TYPE = "pulumi-python:dynamic/jetstream"


@pytest.fixture
def own(project: Project) -> Project:
    """A stack with a server process and a stream of each policy, two messages in each."""
    folder = str(project.folder / "nats")
    ports = {"clientPort": free_port(), "monitorPort": free_port()}
    project.configure(server="process", onDelete="delete", catalogue="streams.yaml", storeDir=folder, **ports)
    project.catalogue(
        KEPT={"subjects": ["kept"]},
        REPLACED={"subjects": ["replaced"]},
        GONE={"subjects": ["gone"]},
        GUARDED={"subjects": ["guarded"], "on_delete": "guard"},
        EMPTY={"subjects": ["empty"], "on_delete": "guard"},
        RETAINED={"subjects": ["retained"], "on_delete": "retain"},
    )
    project.up()
    with closing(JetStream(_url(project), Credentials())) as client:
        for subject in ("kept", "replaced", "gone", "guarded", "retained") * 2:
            client.connection.request(subject, b"payload")
    return project


def _url(project: Project) -> str:
    return f"nats://127.0.0.1:{project.settings['clientPort']}"


def _messages(project: Project) -> dict[str, int]:
    with closing(JetStream(_url(project), Credentials())) as client:
        return {name: info.messages for name, info in client.streams().items()}


def _move(project: Project) -> None:
    project.configure(**{**project.settings, "clientPort": free_port()})


def test_another_port_and_other_streams(own: Project) -> None:
    """Counted at the old port before anything is touched, deleted at the new one; destroy then has nothing left."""
    before, settings = _messages(own), own.settings
    _move(own)
    own.catalogue(KEPT={"subjects": ["kept"], "max_msgs": 9}, REPLACED={"subjects": ["replaced"], "first_seq": 9})
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        refused = own.pulumi(*command)
        assert refused.code != 0
        for words in (
            "GONE: leaving the catalogue would delete 2 messages",
            "REPLACED: first_seq 0 -> 9 needs a new stream and would delete 2 of 2 messages",
            "GUARDED holds 2 messages and has 0 consumers",
            "RETAINED leaves the catalogue and stays on the server with 2 messages",
        ):
            assert words in refused.text, refused.text
    moved, own.settings = own.settings, settings
    assert before == _messages(own)

    own.settings = moved
    own.catalogue(
        KEPT={"subjects": ["kept"], "max_msgs": 9},
        REPLACED={"subjects": ["replaced"], "first_seq": 9},
        GUARDED={"subjects": ["guarded"]},
    )
    own.up(STREAMS_ALLOW_LOSS="GONE,REPLACED")
    assert {"KEPT": 2, "REPLACED": 0, "GUARDED": 2, "RETAINED": 2} == _messages(own)
    assert own.unchanged()
    assert own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="RETAINED").code == 0
    assert not (own.folder / "nats").exists()


def test_a_run_that_ends_when_the_port_has_changed(own: Project) -> None:
    """The streams of the state still have the old port: a destroy is refused, one up brings it all in order."""
    _move(own)
    urns = [
        f"urn:pulumi:{own.stack}::prediction-streams::{TYPE}:{name}"
        for name in ("Estate::estate", "ServerProcess::nats")
    ]
    own.up(*(word for urn in urns for word in ("--target", urn)))
    refused = own.pulumi("destroy", "--yes", "--skip-preview")
    assert refused.code != 0
    assert 2 == _messages(own)["GONE"]

    own.catalogue(KEPT={"subjects": ["kept"]}, GUARDED={"subjects": ["guarded"]}, REPLACED={"subjects": ["replaced"]})
    assert "GONE: leaving the catalogue would delete 2 messages" in own.preview().text
    own.up(STREAMS_ALLOW_LOSS="GONE")
    assert {"KEPT": 2, "REPLACED": 2, "GUARDED": 2, "RETAINED": 2} == _messages(own)
    assert own.unchanged()
    assert own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="RETAINED").code == 0
