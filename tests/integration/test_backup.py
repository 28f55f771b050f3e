"""Backups of a real server's streams, and what comes back of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.archive import ARCHIVE, MANIFEST, backup, load
from provisioner.backup.restore import restore
from provisioner.errors import BackupError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.snapshots import CHUNK_BYTES
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient
from tests.support.snapshots import (
    BIG,
    NAME,
    consume,
    consumer,
    consumers,
    delete,
    delete_messages,
    fill,
    messages,
    silent,
)
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def cleaned(jetstream: JetStream, server: NatsServer) -> Iterator[None]:
    """No test finds files of the one before."""
    yield
    delete(jetstream, server)


def _there_and_back(client: JetStream, server: NatsServer, folder: Path) -> None:
    """Back up, delete, restore: the same configuration, state, messages and consumers."""
    before = client.stream(NAME), _state(client), messages(client), consumers(client)
    saved = backup(client, NAME, folder, silent)
    delete(client, server)
    live = restore(client, folder / NAME, silent)

    assert before[0]
    assert (before[0].config, before[0].messages) == (live.config, live.messages)
    assert before[1:] == (_state(client), messages(client), consumers(client))
    assert (0, before[1]["messages"]) == (saved.removed, saved.messages)


def _state(client: JetStream) -> dict[str, Any]:
    """Without the time of a last message that was deleted, which no message has."""
    return {name: value for name, value in client.state(NAME).items() if name != "last_ts"}


def test_five_thousand_messages_with_consumers_half_way(
    jetstream: JetStream, server: NatsServer, tmp_path: Path
) -> None:
    """Headers, gaps and every consumer's position come back, and consumption goes on where it was."""
    fill(jetstream, 5000)
    delete_messages(jetstream, 1, 2, 50, 2500, 4999, 5000)
    consumer(jetstream, "all", ack_policy="all")
    consumer(jetstream, "explicit")
    consumer(jetstream, "fresh", filter_subject="o.3")
    for _ in range(3):
        consume(jetstream, "all", 500, without=tuple(range(499)))
    consume(jetstream, "explicit", 100, without=(40, 70))

    _there_and_back(jetstream, server, tmp_path)

    stored = {message["seq"]: message["subject"] for message in messages(jetstream)}
    assert (3, 4998, 4994) == (min(stored), max(stored), len(stored))
    assert 1 == len(consume(jetstream, "all", 1))
    jetstream.connection.request("o.1", b"next")
    assert 5001 == jetstream.state(NAME)["last_seq"]


@pytest.mark.parametrize("storage", ["file", "memory"])
@pytest.mark.parametrize("retention", ["limits", "interest", "workqueue"])
def test_every_storage_and_retention(
    jetstream: JetStream, server: NatsServer, tmp_path: Path, storage: str, retention: str
) -> None:
    """Memory streams too; messages that only wait for a consumer are still there for it."""
    jetstream.create(config(NAME, subjects=["o.>"], storage=storage, retention=retention))
    consumer(jetstream, "half")
    fill(jetstream, 60, storage=storage, retention=retention)
    consume(jetstream, "half", 30, without=(10,))

    _there_and_back(jetstream, server, tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"compression": "s2", "max_msgs_per_subject": 3},
        {"first_seq": 1000, "max_msgs": 20},
        {"discard": "new", "max_msgs": 20},
        {"allow_msg_ttl": True, "max_age": "1h", "description": "d", "metadata": {"a": "b"}},
        {"sealed": True},
        {"sources": [{"name": "OTHER"}]},
    ],
    ids=str,
)
def test_other_configurations(jetstream: JetStream, server: NatsServer, tmp_path: Path, fields: dict[str, Any]) -> None:
    """Limits that are reached, a first sequence, a sealed stream and a source make no difference."""
    if "sources" in fields:
        jetstream.create(config("OTHER", subjects=["other"]))
        jetstream.connection.request("other", b"from elsewhere")
    fill(jetstream, 20, **{name: value for name, value in fields.items() if name != "sealed"})
    if "sealed" in fields:
        jetstream.update(config(NAME, subjects=["o.>"], **fields))

    _there_and_back(jetstream, server, tmp_path)


@pytest.mark.parametrize("storage", ["file", "memory"])
def test_big_messages(jetstream: JetStream, server: NatsServer, tmp_path: Path, storage: str) -> None:
    """Messages of nearly a megabyte in an archive of many windows; progress ends at its size."""
    fill(jetstream, 20, storage=storage, size=BIG)
    seen: list[tuple[str, int, int | None]] = []
    before = messages(jetstream)

    saved = backup(jetstream, NAME, tmp_path, lambda *progress: seen.append(progress))
    delete(jetstream, server)
    restore(jetstream, tmp_path / NAME, lambda *progress: seen.append(progress))

    assert before == messages(jetstream)
    assert saved.bytes > 20 * BIG > 32 * CHUNK_BYTES
    assert (NAME, saved.bytes, None) in seen
    assert (NAME, saved.bytes, saved.bytes) == seen[-1]


def test_the_manifest_is_the_nats_command_lines(jetstream: JetStream, raw: RawClient, tmp_path: Path) -> None:
    """Under config and state stand the server's own words, whole."""
    fill(jetstream, 3, metadata={"a": "b"})
    backup(jetstream, NAME, tmp_path, silent)

    written = json.loads((tmp_path / NAME / MANIFEST).read_text())
    info = raw.info(NAME)
    assert info["config"].keys() == written["config"].keys()
    assert info["state"] == written["state"]
    assert [MANIFEST, ARCHIVE] == sorted(path.name for path in (tmp_path / NAME).iterdir())


def test_messages_that_outlived_their_age_are_no_failure(
    jetstream: JetStream, server: NatsServer, tmp_path: Path
) -> None:
    """What max_age removes by the time of the restore is not missing."""
    fill(jetstream, 5, max_age="200ms")
    saved = backup(jetstream, NAME, tmp_path, silent)
    assert 0 <= saved.removed <= saved.messages <= 5  # the clock decides how many were too old by then
    delete(jetstream, server)

    restore(jetstream, tmp_path / NAME, silent)
    until("no message has outlived its age", lambda: jetstream.state(NAME)["messages"] == 0)


def test_a_stream_that_is_there_is_not_touched(jetstream: JetStream, tmp_path: Path) -> None:
    """A restore refuses where there is a stream of the name."""
    fill(jetstream, 3)
    backup(jetstream, NAME, tmp_path, silent)
    jetstream.connection.request("o.1", b"later")

    with pytest.raises(BackupError, match=f"{NAME}: not restored: a stream of that name is on the server"):
        restore(jetstream, tmp_path / NAME, silent)
    assert 4 == jetstream.state(NAME)["messages"]


def test_an_empty_stream_gives_way(jetstream: JetStream, raw: RawClient, tmp_path: Path) -> None:
    """After a destroy, `up` makes the stream again, without its messages: these can come back into it."""
    fill(jetstream, 3)
    backup(jetstream, NAME, tmp_path, silent)
    raw.ask(f"STREAM.PURGE.{NAME}")
    assert 3 == restore(jetstream, tmp_path / NAME, silent).messages


def test_an_empty_stream_with_its_consumers_gives_way(jetstream: JetStream, raw: RawClient, tmp_path: Path) -> None:
    """As `up` makes it from a catalogue with consumers; one that the backup does not bring back is in the way."""
    jetstream.create(config("ORDERS", subjects=["orders.>"]))
    raw.add_consumer("ORDERS", "worker")
    raw.publish("orders.new")
    backup(jetstream, "ORDERS", tmp_path, silent)
    jetstream.delete("ORDERS")
    jetstream.create(config("ORDERS", subjects=["orders.>"]))
    raw.add_consumer("ORDERS", "worker")
    raw.add_consumer("ORDERS", "later")

    with pytest.raises(BackupError, match=r"has consumers that the backup does not \(later\)"):
        restore(jetstream, tmp_path / "ORDERS", silent)

    raw.ask("CONSUMER.DELETE.ORDERS.later")
    assert (1, 1) == (restore(jetstream, tmp_path / "ORDERS", silent).messages, len(raw.consumers("ORDERS")))


def test_what_the_server_refuses_is_one_line(jetstream: JetStream, server: NatsServer, tmp_path: Path) -> None:
    """Subjects that another stream has by now: the server's reason, and nothing is left."""
    fill(jetstream, 3)
    backup(jetstream, NAME, tmp_path, silent)
    delete(jetstream, server)
    jetstream.create(config("OTHER", subjects=["o.1"]))

    with pytest.raises(BackupError, match=f"^{NAME}: not restored: .*subjects overlap .*$"):
        restore(jetstream, tmp_path / NAME, silent)
    assert ["OTHER"] == list(jetstream.streams())


@pytest.mark.parametrize("name", ["NONE", "a.b", "../x", "", "*", "a b"])
def test_no_such_stream(jetstream: JetStream, tmp_path: Path, name: str) -> None:
    """A wrong name is one line, and no folder is made for it."""
    with pytest.raises(BackupError, match=r"not backed up: (there is no such stream|that is not a stream's name)"):
        backup(jetstream, name, tmp_path / "deep" / "er", silent)
    assert [] == list(tmp_path.iterdir())


def test_a_backup_is_never_overwritten(jetstream: JetStream, tmp_path: Path) -> None:
    """A second one into the same folder is refused, the first stays good."""
    fill(jetstream, 3)
    first = backup(jetstream, NAME, tmp_path, silent)
    with pytest.raises(BackupError, match="already exists"):
        backup(jetstream, NAME, tmp_path, silent)
    assert first == load(tmp_path / NAME)
