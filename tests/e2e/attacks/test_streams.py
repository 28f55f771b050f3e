"""Streams that are replaced, removed, renamed or remade: no stored message goes without approval."""

from __future__ import annotations

import signal

import pytest

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project
from tests.support.configurations import config
from tests.support.nats_server import NatsServer

TYPE = "pulumi-python:dynamic/jetstream:Stream"


@pytest.fixture
def own(external: Project) -> Project:
    """A project with a catalogue of its own."""
    external.configure(**external.settings, catalogue="streams.yaml")
    return external


def _publish(jetstream: JetStream, subject: str, count: int) -> None:
    for _ in range(count):
        jetstream.connection.request(subject, b"payload")


def _messages(jetstream: JetStream) -> dict[str, int]:
    return {name: info.messages for name, info in jetstream.streams().items()}


def test_every_loss_of_a_run_is_named_at_once(own: Project, jetstream: JetStream) -> None:
    """A lower limit, a replacement, a removal and what the server refuses: all in the first preview."""
    own.catalogue(
        TRIMMED={"subjects": ["trimmed"]}, REPLACED={"subjects": ["replaced"]}, REMOVED={"subjects": ["removed"]}
    )
    own.up()
    for count, subject in enumerate(("trimmed", "replaced", "removed"), 2):
        _publish(jetstream, subject, count)
    own.catalogue(
        TRIMMED={"subjects": ["trimmed"], "max_msgs": 1},
        REPLACED={"subjects": ["replaced"], "first_seq": 9},
        REFUSED={"subjects": ["refused"], "num_replicas": 3},
    )
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        refused = own.pulumi(*command)
        assert refused.code != 0
        for words in (
            "TRIMMED: max_msgs unlimited -> 1 would delete 1 of 2 messages",
            "REPLACED: first_seq 0 -> 9 needs a new stream and would delete 3 of 3 messages",
            "REMOVED: leaving the catalogue would delete 4 messages",
            "REFUSED: num_replicas 3 needs a cluster",
        ):
            assert words in refused.text, refused.text
    assert {"TRIMMED": 2, "REPLACED": 3, "REMOVED": 4} == _messages(jetstream)


def test_a_mistyped_approval(own: Project, jetstream: JetStream) -> None:
    """It is pointed out, with the name that was meant, and nothing goes."""
    own.catalogue(ORDERS={"subjects": ["orders"]})
    own.up()
    _publish(jetstream, "orders", 2)
    own.catalogue(ORDERS={"subjects": ["orders"], "max_msgs": 1})
    refused = own.pulumi("up", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="ORDER")
    assert refused.code != 0
    assert "STREAMS_ALLOW_LOSS: there is no stream ORDER; did you mean ORDERS?" in refused.text
    assert {"ORDERS": 2} == _messages(jetstream)


@pytest.mark.parametrize("how", ["--replace", "--target-replace", "taint"])
def test_a_forced_replacement(own: Project, jetstream: JetStream, how: str) -> None:
    """Refused until it is approved; approved, there is a new stream afterwards."""
    own.catalogue(HELD={"subjects": ["held"]})
    own.up()
    _publish(jetstream, "held", 20)
    urn = f"urn:pulumi:{own.stack}::prediction-streams::{TYPE}::HELD"
    if how == "taint":
        assert own.pulumi("state", "taint", "--yes", urn).code == 0
    options = [] if how == "taint" else [how, urn]

    refused = own.pulumi("up", "--yes", "--skip-preview", *options)
    assert refused.code != 0
    assert "HELD: replacing the stream would delete 20 messages" in refused.text
    assert {"HELD": 20} == _messages(jetstream)
    own.up(*options, STREAMS_ALLOW_LOSS="HELD")
    assert {"HELD": 0} == _messages(jetstream)
    assert own.unchanged()


def test_a_rename(own: Project, jetstream: JetStream) -> None:
    """The old name's messages are counted and need approval."""
    own.catalogue(OLD={"subjects": ["held"]})
    own.up()
    _publish(jetstream, "held", 1000)
    own.catalogue(NEW={"subjects": ["held"]})
    refused = own.pulumi("up", "--yes", "--skip-preview")
    assert refused.code != 0
    assert "OLD: leaving the catalogue would delete 1,000 messages" in refused.text
    assert {"OLD": 1000} == _messages(jetstream)
    own.up(STREAMS_ALLOW_LOSS="OLD")
    assert {"NEW": 0} == _messages(jetstream)


@pytest.mark.parametrize("settings", [{}, {"backupTo": "copies"}], ids=["the same settings", "other settings"])
def test_a_stream_that_was_made_again(own: Project, jetstream: JetStream, settings: dict[str, str]) -> None:
    """A stream that somebody has deleted and made again with other settings is not changed, nor deleted."""
    own.catalogue(HELD={"subjects": ["held"]})
    own.up()
    jetstream.delete("HELD")
    jetstream.create(config("HELD", subjects=["held", "theirs"]))
    _publish(jetstream, "held", 5)
    own.configure(**own.settings, **settings)
    for command in ("up", "destroy"):
        refused = own.pulumi(command, "--yes", "--skip-preview")
        assert refused.code != 0, refused.text
        assert "Traceback" not in refused.text
    assert {"HELD": 5} == _messages(jetstream)
    info = jetstream.stream("HELD")
    assert info
    assert ["held", "theirs"] == info.config["subjects"]


def test_a_target(own: Project, jetstream: JetStream) -> None:
    """An up that passes the gate by deletes nothing without approval either; a destroy goes by the policy."""
    own.catalogue(HELD={"subjects": ["held"]}, OTHER={"subjects": ["other"]}, LEFT={"subjects": ["left"]})
    own.up()
    for subject in ("held", "other", "left"):
        _publish(jetstream, subject, 3)
    held, other = (f"urn:pulumi:{own.stack}::prediction-streams::{TYPE}::{name}" for name in ("HELD", "OTHER"))
    own.catalogue(LEFT={"subjects": ["left"]}, OTHER={"subjects": ["other"]})
    for options in ([], ["--refresh=false"]):
        refused = own.pulumi("up", "--yes", "--skip-preview", "--target", held, *options)
        assert refused.code != 0
        assert "HELD: leaving the catalogue would delete 3 messages" in refused.text
    own.up("--target", held, STREAMS_ALLOW_LOSS="HELD")
    assert {"OTHER": 3, "LEFT": 3} == _messages(jetstream)
    assert own.pulumi("destroy", "--yes", "--skip-preview", "--target", other).code == 0
    assert {"LEFT": 3} == _messages(jetstream)


def test_unreachable_is_not_gone(own: Project, jetstream: JetStream, server: NatsServer) -> None:
    """A destroy while the external server is paused is refused, with the way to forget a stream on purpose."""
    own.catalogue(HELD={"subjects": ["held"]})
    own.up()
    _publish(jetstream, "held", 3)
    assert server.process
    server.process.send_signal(signal.SIGSTOP)
    try:
        refused = own.pulumi("destroy", "--yes", "--skip-preview")
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert refused.code != 0
    assert "pulumi state delete" in refused.text
    assert {"HELD": 3} == _messages(jetstream)
