"""A change that needs a new stream carries messages and consumers over, whatever happens in the middle."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import nats
import pytest

from provisioner.backup import archive, carry_folder
from provisioner.backup import restore as restoring
from provisioner.backup.archive import backup
from provisioner.errors import ApiError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.providers.errors import JetStreamError
from provisioner.reconcile.context import close_all
from tests.support import snapshots
from tests.support.configurations import config
from tests.support.exploring import explores
from tests.support.faults.flood import flooding
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import RawClient, raw_client
from tests.support.snapshots import NAME
from tests.support.stream_provider import failures, props, provider
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("own_process")

# Before, after: one for each field and direction that JetStream does not update.
CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"storage": "memory"}),
    ({"storage": "memory"}, {}),
    ({"retention": "workqueue"}, {}),
    ({"retention": "workqueue"}, {"retention": "interest"}),
    ({"deny_delete": True}, {}),
    ({"deny_purge": True}, {}),
    ({"allow_msg_ttl": True}, {}),
    ({"allow_msg_schedules": True, "allow_rollup_hdrs": True}, {"allow_rollup_hdrs": True}),
    ({"persist_mode": "async"}, {}),
    ({}, {"persist_mode": "async"}),
    ({"first_seq": 1000}, {}),
    ({}, {"storage": "memory", "max_msg_size": "10KiB", "max_consumers": 3, "description": "other things with it"}),
    ({}, {"storage": "memory", "sealed": True}),
]
MESSAGES = 30
_OUTSTANDING = 2_000
OTHER = "name another folder with STREAMS_CARRY_TO"


def _stream(server: NatsServer, **fields: Any) -> dict[str, Any]:
    return props(server, NAME, subjects=["o.>"], **fields)


def _created(server: NatsServer, jetstream: JetStream, **fields: Any) -> dict[str, Any]:
    """The outputs of a stream of the state, with messages and a consumer that has acknowledged some of them."""
    snapshots.fill(jetstream, MESSAGES, **fields)
    snapshots.consumer(jetstream, "worker")
    snapshots.consume(jetstream, "worker", 10, without=(2, 5))
    return dict(provider().create(_stream(server, **fields)).outs or {})


def _updated(olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    """A whole update as the engine does it; nothing may stand in its way."""
    assert [] == failures(news, olds=olds)
    diff = provider().diff(NAME, olds, news)
    assert (True, []) == (diff.changes, diff.replaces)
    return dict(provider().update(NAME, olds, news).outs or {})


def _settled(server: NatsServer, jetstream: JetStream, outs: dict[str, Any], news: dict[str, Any], root: Path) -> None:
    """The stream is as it is wanted, another look finds nothing to do, and nothing is left on the disk."""
    live = jetstream.stream(NAME)
    assert live
    assert live.created == outs["created"]
    read = provider().read(NAME, outs)
    assert not provider().diff(NAME, read.outs or {}, news).changes
    assert [] == [path for path in root.rglob("*") if path.is_file()]
    assert server.process
    assert server.process.poll() is None


@pytest.mark.parametrize(("before", "after"), CHANGES, ids=lambda fields: ",".join(fields) or "default")
def test_every_field_that_needs_a_new_stream(
    server: NatsServer, jetstream: JetStream, tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Each message is there with its sequence, time, subject and headers, and the consumer where it was."""
    olds = _created(server, jetstream, **before)
    messages, consumers = snapshots.messages(jetstream), snapshots.consumers(jetstream)
    news = _stream(server, **after)

    outs = _updated(olds, news)

    assert messages == snapshots.messages(jetstream)
    assert consumers == snapshots.consumers(jetstream)
    assert olds["created"] != outs["created"]
    _settled(server, jetstream, outs, news, tmp_path / "carried")


def test_the_plan_tells_what_is_carried_over(
    server: NatsServer, jetstream: JetStream, raw: RawClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """How many messages, how many consumers, and for how long nobody gets an answer; under guard too."""
    olds = _created(server, jetstream)
    raw.publish("o.1")  # a note is told once a process, and another test may have told one of 30

    assert [] == failures(_stream(server, storage="memory", on_delete="guard"), olds=olds)
    said = capsys.readouterr().err
    assert f"{NAME}: storage file -> memory needs a new stream: carried over with 31 messages (" in said
    assert said.endswith(") and 1 consumer; publishers get no answer for about 1s\n")


def test_the_plan_of_an_empty_stream(
    server: NatsServer, jetstream: JetStream, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is carried over, and nothing is said to be."""
    olds = dict(provider().create(_stream(server)).outs or {})
    assert [] == failures(_stream(server, storage="memory"), olds=olds)
    said = f"{NAME}: storage file -> memory needs a new stream; there is nothing to carry over\n"
    assert said == capsys.readouterr().err
    outs = provider().update(NAME, olds, _stream(server, storage="memory")).outs or {}
    live = jetstream.stream(NAME)
    assert live
    assert ("memory", outs["created"]) == (live.config["storage"], live.created)


def test_what_a_work_queue_does_not_keep_is_asked_for(
    server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A work queue deletes what its consumers have acknowledged: counted exactly, and refused without approval."""
    olds, news = _created(server, jetstream), _stream(server, retention="workqueue")

    (refused,) = failures(news, olds=olds)
    assert refused.startswith(f"{NAME}: retention limits -> workqueue would delete 8 of 30 messages")
    with pytest.raises(JetStreamError, match="would delete 8 of 30 messages"):
        provider().update(NAME, olds, news)
    assert MESSAGES == len(snapshots.messages(jetstream))

    monkeypatch.setenv("STREAMS_ALLOW_LOSS", NAME)
    _updated(olds, news)
    assert 22 == len(snapshots.messages(jetstream))


@pytest.mark.parametrize(
    ("consumers", "refused"),
    [
        ([{"ack_policy": "all"}], "retention workqueue: consumer c0 has ack_policy all, not explicit"),
        ([{"deliver_policy": "new"}], "retention workqueue: consumer c0 has deliver_policy new, not all"),
        ([{}, {"filter_subject": "o.1"}], "retention workqueue: consumers c0 and c1 take the same subjects"),
        ([{"filter_subject": "o.2"}, {"filter_subject": "o.1"}], ""),
    ],
)
def test_consumers_that_a_work_queue_does_not_take(
    server: NatsServer, jetstream: JetStream, raw: RawClient, consumers: list[dict[str, Any]], refused: str
) -> None:
    """Refused in preview, as the server would refuse them after the deletion."""
    snapshots.fill(jetstream, 3)
    for number, fields in enumerate(consumers):
        raw.add_consumer(NAME, f"c{number}", **fields)
    olds = dict(provider().create(_stream(server)).outs or {})

    assert [refused] * bool(refused) == failures(_stream(server, retention="workqueue"), olds=olds)[:1]


def test_a_new_stream_that_the_server_refuses(
    server: NatsServer, jetstream: JetStream, raw: RawClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The old one is there again, whole and with its subjects, and is still the stack's."""
    olds, news = _created(server, jetstream), _stream(server, retention="workqueue")
    messages = snapshots.messages(jetstream)
    raw.add_consumer(NAME, "late", ack_policy="all")  # after the plan
    monkeypatch.setenv("STREAMS_ALLOW_LOSS", NAME)

    with pytest.raises(JetStreamError, match="the stream is as it was, with its messages"):
        provider().update(NAME, olds, news)

    assert messages == snapshots.messages(jetstream)
    assert NAME == raw.publish("o.1")
    read = provider().read(NAME, olds)
    assert "status" not in (read.outs or {})
    outs = dict(provider().update(NAME, read.outs or {}, _stream(server)).outs or {})
    _settled(server, jetstream, outs, _stream(server), tmp_path / "carried")


def test_a_copy_of_another_stream_is_never_given_up(server: NatsServer, jetstream: JetStream) -> None:
    """A copy whose stream is gone for good, and another of its name on the server: refused, in preview and in up."""
    olds = _created(server, jetstream)
    folder = carry_folder.CarryFolder(server.url, NAME)
    backup(jetstream, NAME, folder.path, snapshots.silent)
    snapshots.delete(jetstream, server)
    made = _created(server, jetstream)

    news = _stream(server, storage="memory")
    (refused,) = failures(news, olds=made)
    assert f"{folder.copy} has 30 messages of another stream of this name, created {olds['created'][:19]}Z" in refused
    with pytest.raises(JetStreamError, match="restore it or move it away"):
        provider().update(NAME, made, news)
    assert folder.manifest()


def test_a_folder_that_cannot_take_the_copy(
    server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too little room is refused before anything is touched, with the next thing to do."""
    olds, news = _created(server, jetstream), _stream(server, storage="memory")
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=100))

    (refused,) = failures(news, olds=olds)
    assert re.fullmatch(rf"its copy takes \d\.\d KiB, and /\S+ has 100 B left; {OTHER}", refused)


def test_a_copy_that_fails_leaves_the_stream_as_it_was(
    server: NatsServer, jetstream: JetStream, raw: RawClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is deleted: the subjects are back, and no part of the copy is left."""
    olds, messages = _created(server, jetstream), snapshots.messages(jetstream)
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv(carry_folder.CARRY_TO, str(tmp_path / "a file"))

    news = _stream(server, storage="memory")
    assert [f"{tmp_path}/a file cannot be written to, where its copy would be; {OTHER}"] == failures(news, olds=olds)
    with pytest.raises(JetStreamError, match="a file"):
        provider().update(NAME, olds, news)
    assert messages == snapshots.messages(jetstream)
    assert NAME == raw.publish("o.1")


def test_a_disk_that_is_full_while_it_is_copied(
    server: NatsServer, jetstream: JetStream, raw: RawClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The intake had stopped already: it goes on, nothing is deleted, and nothing of the copy is left."""
    olds, messages = _created(server, jetstream), snapshots.messages(jetstream)

    def full(_client: JetStream, _stream: str, write: Callable[[bytes], object]) -> None:
        write(b"the beginning of an archive")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(archive, "take", full)
    with pytest.raises(JetStreamError, match=f"^{NAME}: not backed up: writing: No space left on device$"):
        provider().update(NAME, olds, _stream(server, storage="memory"))
    assert messages == snapshots.messages(jetstream)
    assert NAME == raw.publish("o.1")
    assert [] == [path for path in (tmp_path / "carried").rglob("*") if path.is_file()]


def _given_up(client: JetStream, subject: str, chunks: Iterator[bytes]) -> NoReturn:
    """What nats-server does when the disk takes more than 5 seconds for one chunk's messages."""
    assert next(chunks)
    client.connection.publish(subject)
    raise ApiError(10062, "restore failed: io: read/write on closed pipe (10062)")


def test_a_server_that_cannot_take_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that syncs every message gives up on a large restore: tried beside the stream, which is as it was."""
    monkeypatch.setattr(restoring, "give", _given_up)  # by a slow disk; this one may be fast
    with running(tmp_path / "nats", jetstream="max_file_store: 20GB, sync_interval: always") as server:
        with closing(JetStream(server.url, Credentials())) as client:
            client.create(config(NAME, subjects=["o.>"]))
            asyncio.run(_publish_many(server.url, 300, b"x"))
            olds = dict(provider().create(_stream(server)).outs or {})
            news = _stream(server, deny_delete=True)
            outs = dict(provider().update(NAME, olds, news).outs or {})
            with pytest.raises(JetStreamError, match=r"so nothing was changed: .* set syncInterval to 2m for this"):
                provider().update(NAME, outs, _stream(server))
            assert 300 == client.state(NAME)["messages"]
            assert {NAME} == set(client.streams())
            with raw_client(server.url) as raw:
                assert NAME == raw.publish("o.1")
        close_all()


def test_a_stream_that_has_the_name_of_the_trial(tmp_path: Path) -> None:
    """Somebody else's is left as it is, and nothing is changed; what a killed run has left goes."""
    with running(tmp_path / "nats", jetstream="max_file_store: 20GB, sync_interval: always") as server:
        with closing(JetStream(server.url, Credentials())) as client:
            client.create(config(NAME, subjects=["o.>"]))
            asyncio.run(_publish_many(server.url, 300, b"x"))
            created = dict(provider().create(_stream(server)).outs or {})
            olds = dict(provider().update(NAME, created, _stream(server, deny_delete=True)).outs or {})
            client.create(config(f"_trial_{NAME}", subjects=["theirs"]))
            with pytest.raises(JetStreamError, match=f"_trial_{NAME} is on the server"):
                provider().update(NAME, olds, _stream(server))
            assert {NAME, f"_trial_{NAME}"} == set(client.streams())
            assert ["o.>"] == client.streams()[NAME].config["subjects"]

            client.delete(f"_trial_{NAME}")
            client.create(config(f"_trial_{NAME}", subjects=[], metadata={"pulumi.trial": olds["created"]}))
            provider().update(NAME, olds, _stream(server))
            assert {NAME: 300} == {name: info.messages for name, info in client.streams().items()}
        close_all()


def test_what_comes_while_it_is_copied_is_in_the_copy(server: NatsServer, jetstream: JetStream, raw: RawClient) -> None:
    """A publisher never stops: each message that was acknowledged is there after two carries, once."""
    olds = _created(server, jetstream)
    with flooding(server.url, "o.flood") as flood:
        for news in (_stream(server, storage="memory"), _stream(server)):
            flood.wait_for(len(flood.acknowledged) + 500)
            olds = _updated(olds, news)
        flood.wait_for(len(flood.acknowledged) + 500)
    flooded = [each for each in raw.messages(NAME) if each["subject"] == "o.flood"]
    stored = [int(base64.b64decode(each["data"])) for each in flooded]
    assert flood.acknowledged <= set(stored)
    assert len(stored) == len(set(stored))


def test_sources_go_on_where_they_were(server: NatsServer, jetstream: JetStream, raw: RawClient) -> None:
    """Nothing comes twice and nothing is missing; where messages are gone by which to know it, it is refused."""
    jetstream.create(config("ORIGIN", subjects=["origin"]))
    sources: dict[str, Any] = {"sources": [{"name": "ORIGIN"}]}
    olds = dict(provider().create(props(server, NAME, **sources)).outs or {})
    for _ in range(5):
        raw.publish("origin")
    until("the source has delivered", lambda: raw.info(NAME)["state"]["last_seq"] == 5)
    outs = _updated(olds, props(server, NAME, retention="workqueue", **sources))
    for _ in range(2):
        raw.publish("origin")
    until("the source goes on", lambda: raw.info(NAME)["state"]["last_seq"] >= 7)
    assert 7 == raw.info(NAME)["state"]["last_seq"], "a message came again"

    (refused,) = failures(props(server, NAME, **sources), olds=outs)
    assert "sources would deliver again what has been consumed: take them out for the run of this change" == refused


def test_a_mirror_stays_one(server: NatsServer, jetstream: JetStream, raw: RawClient) -> None:
    """It has its messages in another storage, and goes on to follow its origin."""
    jetstream.create(config("ORIGIN", subjects=["origin"]))
    olds = dict(provider().create(props(server, NAME, mirror={"name": "ORIGIN"})).outs or {})
    for _ in range(5):
        raw.publish("origin")
    until("the mirror follows", lambda: raw.info(NAME)["state"]["messages"] == 5)
    _updated(olds, props(server, NAME, mirror={"name": "ORIGIN"}, storage="memory"))
    raw.publish("origin")
    until("the mirror goes on", lambda: raw.info(NAME)["state"]["messages"] == 6)
    assert [each["seq"] for each in raw.messages("ORIGIN")] == [each["seq"] for each in raw.messages(NAME)]


class TestExplore:
    """A stream as large as disks and patience allow."""

    pytestmark = explores()

    @pytest.mark.parametrize(("before", "after"), CHANGES, ids=lambda fields: ",".join(fields) or "default")
    def test_each_field_with_100_000_messages(
        self, server: NatsServer, jetstream: JetStream, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        """Compared message by message, and a consumer that has acknowledged some of them."""
        jetstream.create(config(NAME, subjects=["o.>"], **before))
        asyncio.run(_publish_many(server.url, 100_000, b"x" * 200))
        snapshots.consumer(jetstream, "worker")
        snapshots.consume(jetstream, "worker", 500, without=(2, 5))
        olds = dict(provider().create(_stream(server, **before)).outs or {})
        messages, consumers = asyncio.run(_digest(server.url)), snapshots.consumers(jetstream)
        _updated(olds, _stream(server, **after))
        assert messages == asyncio.run(_digest(server.url))
        assert consumers == snapshots.consumers(jetstream)

    def test_a_million_messages_and_five_gib(
        self, server: NatsServer, jetstream: JetStream, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing is missing; the time in which nobody could publish is shown, and remembered as a rate."""
        jetstream.create(config(NAME, subjects=["o.>"]))
        asyncio.run(_publish_many(server.url, 1_000_000, b"x" * 5_300))
        olds, before = dict(provider().create(_stream(server)).outs or {}), jetstream.state(NAME)
        began = time.monotonic()
        outs = _updated(olds, _stream(server, persist_mode="async"))
        gap, after = time.monotonic() - began, jetstream.state(NAME)
        with capsys.disabled():
            print(f"{before['bytes'] / 2**30:.2f} GiB in {gap:.1f} s, {outs['carry_rate'] / 2**20:.0f} MiB/s")  # noqa: T201
        for key in ("messages", "first_seq", "last_seq", "first_ts", "last_ts"):
            assert before[key] == after[key], key


async def _digest(url: str) -> list[int]:
    """A number for each message: of its sequence, time, subject, headers and payload."""
    client = await nats.connect(url)
    state = json.loads((await client.request(f"$JS.API.STREAM.INFO.{NAME}")).data)["state"]
    digests: list[int] = []
    for first in range(state["first_seq"], state["last_seq"] + 1, _OUTSTANDING):
        sequences = range(first, min(first + _OUTSTANDING, state["last_seq"] + 1))
        requests = (
            client.request(f"$JS.API.STREAM.MSG.GET.{NAME}", b'{"seq": %d}' % each, timeout=30) for each in sequences
        )
        digests += [hash(answer.data) for answer in await asyncio.gather(*requests)]
    await client.close()
    return digests


async def _publish_many(url: str, count: int, payload: bytes) -> None:
    """Publish with no more than so many acknowledgements outstanding: the server drops what it has no room to queue."""
    client = await nats.connect(url)
    inbox, room = client.new_inbox(), asyncio.Semaphore(_OUTSTANDING)

    async def acknowledged(_message: object) -> None:
        room.release()

    await client.subscribe(inbox, cb=acknowledged)
    for number in range(count):
        await room.acquire()
        await client.publish(f"o.{number % 7}", payload, reply=inbox)
    for _ in range(_OUTSTANDING):
        await room.acquire()
    await client.close()
