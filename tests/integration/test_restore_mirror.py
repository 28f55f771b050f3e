"""A part of a mirror: what its origin has given it since the restore was cut short is no reason to keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.archive import backup, load
from provisioner.backup.restore import restore
from provisioner.errors import BackupError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.codec import to_request
from provisioner.rules.restore_mark import RestoreMark, marked
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.snapshots import NAME, delete, silent
from tests.support.waiting import until

ORIGIN = "ORIGIN"
MIRROR = config(NAME, subjects=[], mirror={"name": ORIGIN})


def _publish(client: JetStream, count: int) -> None:
    for _ in range(count):
        client.connection.request("o.1", b"payload")


def _holds(client: JetStream, last: int) -> None:
    until(f"{last} messages", lambda: client.state(NAME)["last_seq"] == last)


@pytest.fixture
def saved(jetstream: JetStream, tmp_path: Path) -> Path:
    """A backup of a mirror with ten messages."""
    jetstream.create(config(ORIGIN, subjects=["o.>"]))
    _publish(jetstream, 10)
    jetstream.create(MIRROR)
    _holds(jetstream, 10)
    backup(jetstream, NAME, tmp_path, silent)
    return tmp_path / NAME


@pytest.fixture
def part(jetstream: JetStream, server: NatsServer, saved: Path) -> Path:
    """What a restore that was cut short leaves in the end: a mirror that goes on, with the mark."""
    delete(jetstream, server)
    _publish(jetstream, 5)
    jetstream.create(_marked(saved))
    _holds(jetstream, 15)
    return saved


def _marked(saved: Path) -> Any:
    manifest = load(saved)
    mark = RestoreMark(copy=str(saved), sha256=manifest.sha256, messages=manifest.messages, restore="first")
    return {**MIRROR, "metadata": marked(to_request(MIRROR), mark)["metadata"]}


def test_its_origin_has_the_newer_messages(jetstream: JetStream, part: Path) -> None:
    """The part gives way, and the mirror gets them from there once more."""
    restore(jetstream, part, silent)
    _holds(jetstream, 15)
    assert 15 == jetstream.state(NAME)["messages"]


@pytest.mark.parametrize("request_", [("PURGE", b'{"seq": 13}'), ("MSG.DELETE", b'{"seq": 12}'), ("DELETE", b"")])
def test_its_origin_has_lost_one(jetstream: JetStream, part: Path, request_: tuple[str, bytes]) -> None:
    """The mirror may be the last to have it: it is left as it is."""
    what, body = request_
    jetstream.connection.request(f"$JS.API.STREAM.{what}.{ORIGIN}", body)
    with pytest.raises(BackupError, match="with messages that are not in the backup: it is left as it is"):
        restore(jetstream, part, silent)
    assert 15 == jetstream.state(NAME)["messages"]
