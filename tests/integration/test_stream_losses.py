"""Nothing that costs messages is done without approval."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.backup.restore import restore
from provisioner.jetstream.client import JetStream
from provisioner.providers.errors import JetStreamError
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.snapshots import silent
from tests.support.stream_provider import failures, props, provider

pytestmark = pytest.mark.usefixtures("own_process")


@pytest.mark.parametrize(
    ("on_delete", "refused", "left"), [("guard", True, True), ("delete", False, False), ("retain", False, True)]
)
def test_a_stream_with_messages_is_deleted_as_the_policy_says(
    server: NatsServer, jetstream: JetStream, on_delete: str, refused: bool, left: bool
) -> None:
    """Guard says what the stream holds, delete deletes it, retain leaves it."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    jetstream.connection.request("orders", b"payload")
    wanted = props(server, subjects=["orders"], on_delete=on_delete)
    if refused:
        with pytest.raises(JetStreamError, match="ORDERS holds 1 message and has 0 consumers"):
            provider().delete("ORDERS", wanted)
    else:
        provider().delete("ORDERS", wanted)

    assert left == bool(jetstream.stream("ORDERS"))


def test_a_lossy_update_needs_a_yes(
    server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused in preview with the number, and again at the moment of the update; allowed by name it is a warning."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    for _ in range(3):
        jetstream.connection.request("orders", b"payload")
    wanted, before = props(server, subjects=["orders"], max_msgs=1), props(server, subjects=["orders"])

    (said,) = failures(wanted, olds=before)
    assert said.startswith("ORDERS: max_msgs unlimited -> 1 would delete 2 of 3 messages (about ")
    assert said.endswith("to allow it for one run: STREAMS_ALLOW_LOSS=ORDERS pulumi up")
    with pytest.raises(JetStreamError, match="would delete 2 of 3 messages"):
        provider().update("ORDERS", before, wanted)

    monkeypatch.setenv("STREAMS_ALLOW_LOSS", "OTHER, ORDERS")
    assert [] == failures(wanted, olds=before)
    assert "would delete 2 of 3 messages" in capsys.readouterr().err
    provider().update("ORDERS", before, wanted)
    live = jetstream.stream("ORDERS")
    assert live
    assert 1 == live.messages


def test_a_replacement_needs_a_yes(server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy of delete is not a yes to losing messages for a setting; messages that came since the plan count."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    before = props(server, subjects=["orders"], on_delete="delete")
    wanted = props(server, subjects=["orders"], on_delete="delete", first_seq=9)
    assert [] == failures(wanted, olds=before)
    assert ["first_seq"] == provider().diff("ORDERS", before, wanted).replaces

    jetstream.connection.request("orders", b"payload")
    with pytest.raises(JetStreamError, match="ORDERS: replacing the stream would delete 1 message"):
        provider().delete("ORDERS", before)

    monkeypatch.setenv("STREAMS_ALLOW_LOSS", "ORDERS")
    provider().delete("ORDERS", before)
    assert jetstream.stream("ORDERS") is None


def test_the_copy_of_a_deleted_stream_comes_back_with_its_subjects(
    server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The stream gives up its subjects for the copy; what is restored captures them again, and is adopted as equal."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    jetstream.connection.request("orders", b"payload")
    monkeypatch.setenv("STREAMS_BACKUP_TO", str(tmp_path))
    wanted = props(server, subjects=["orders"], on_delete="delete")
    provider().delete("ORDERS", wanted)

    (copy,) = tmp_path.glob("*/ORDERS")
    info = restore(jetstream, copy, silent)
    assert (["orders"], 1) == (info.config["subjects"], info.messages)
    assert [] == failures(wanted)
