"""Backups and restores that fail half-way: one line each, and nothing half done stays."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from provisioner.backup import restore as restoring
from provisioner.backup.archive import ARCHIVE, MANIFEST, backup, load
from provisioner.backup.progress import Progress
from provisioner.backup.restore import restore
from provisioner.errors import BackupError
from provisioner.jetstream import snapshots
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.configurations import config
from tests.support.faults.proxy import Proxy, proxied
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import raw_client
from tests.support.snapshots import BIG, NAME, consumer, delete, fill, fill_as, messages, silent

MESSAGES = 20  # of BIG bytes: twice the window, so that a backup cannot be over before it is acknowledged
ACK, CHUNK = "$JS.SNAPSHOT.ACK.", "$JS.SNAPSHOT.RESTORE."


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    """A server to mistreat, with a large stream."""
    with running(tmp_path / "nats") as server:
        with closing(JetStream(server.url, Credentials())) as client:
            fill(client, MESSAGES, size=BIG)
            consumer(client, "c")
        yield server


@pytest.fixture
def proxy(nats: NatsServer) -> Iterator[Proxy]:
    """What the backup connects through."""
    with proxied(nats.ports[0]) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[JetStream]:
    """A client behind the proxy."""
    with closing(JetStream(proxy.url, Credentials())) as client:
        yield client


@pytest.fixture
def direct(nats: NatsServer) -> Iterator[JetStream]:
    """A client of the server itself: a proxy without a server is one that keeps nats.py busy."""
    with closing(JetStream(nats.url, Credentials())) as client:
        yield client


@pytest.fixture
def saved(nats: NatsServer, tmp_path: Path) -> Path:
    """A good backup of a stream that is gone from the server."""
    with closing(JetStream(nats.url, Credentials())) as client:
        backup(client, NAME, tmp_path / "saved", silent)
        delete(client, nats)
    return tmp_path / "saved" / NAME


def _fails(work: Callable[[], object]) -> str:
    with pytest.raises(BackupError) as caught:
        work()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_connection_cut_during_a_backup(client: JetStream, proxy: Proxy, tmp_path: Path) -> None:
    """A gap in the chunks fails the backup although the client reconnects; the next one succeeds."""
    trap = proxy.set(ACK, lose_answer=True)
    text = _fails(lambda: backup(client, NAME, tmp_path / "to", silent))
    assert trap.sprung
    assert text == f"{NAME}: not backed up: {proxy.url}: the connection was lost"
    assert not (tmp_path / "to").exists()

    assert MESSAGES == backup(client, NAME, tmp_path / "to", silent).messages


def test_server_killed_during_a_backup(direct: JetStream, nats: NatsServer, tmp_path: Path) -> None:
    """Known at once, without a wait; other files in the folder stay."""
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine").touch()
    text = _fails(lambda: backup(direct, NAME, tmp_path / "to", lambda *_: nats.kill()))
    assert text == f"{NAME}: not backed up: {nats.url}: the connection was lost"
    assert ["mine"] == [path.name for path in (tmp_path / "to").iterdir()]


def test_server_that_stops_answering(
    client: JetStream, proxy: Proxy, nats: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The idle deadline ends a backup from a server that hangs."""
    monkeypatch.setattr(snapshots, "IDLE_TIMEOUT_S", 1.0)
    assert nats.process
    proxy.set(ACK, partial(nats.process.send_signal, signal.SIGSTOP))
    try:
        text = _fails(lambda: backup(client, NAME, tmp_path / "to", silent))
    finally:
        nats.process.send_signal(signal.SIGCONT)
    assert "nothing arrived for 1 s" in text
    assert not (tmp_path / "to").exists()


def test_connection_cut_during_a_restore(client: JetStream, proxy: Proxy, nats: NatsServer, saved: Path) -> None:
    """What the server has by then is deleted after the reconnection, for good; the next restore succeeds."""
    trap = proxy.set(CHUNK, lose_answer=True)
    text = _fails(lambda: restore(client, saved, silent))
    assert trap.sprung
    assert text == f"{NAME}: not restored: {proxy.url}: the connection was lost"
    assert client.stream(NAME) is None

    assert MESSAGES == restore(client, saved, silent).messages
    assert b"Completed restore" in (nats.folder / "nats.log").read_bytes()


def test_server_killed_during_a_restore(direct: JetStream, nats: NatsServer, saved: Path) -> None:
    """A server that is back soon has its part of the stream deleted too."""

    def kill_and_start() -> None:
        nats.kill()
        nats.start()

    text = _fails(lambda: restore(direct, saved, _at_half(kill_and_start)))
    assert text == f"{NAME}: not restored: {nats.url}: the connection was lost"
    assert direct.stream(NAME) is None
    assert MESSAGES == restore(direct, saved, silent).messages


def test_server_gone_during_a_restore(
    direct: JetStream, nats: NatsServer, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a server that does not come back the text says what may be left on it."""
    monkeypatch.setattr(restoring, "RETURN_TIMEOUT_S", 1.0)
    text = _fails(lambda: restore(direct, saved, _at_half(nats.kill)))
    assert text == (
        f"{NAME}: not restored: {nats.url}: the connection was lost; "
        f"a part of it may be on the server: once it answers, run streams restore {saved}"
    )


def _at_half(act: Callable[[], object]) -> Progress:
    """Do something once, half-way."""
    acts = [act]

    def progress(_name: str, done: int, total: int | None) -> None:
        if total and done > total // 2 and acts:
            acts.pop()()

    return progress


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_interrupted_restore(client: JetStream, saved: Path) -> None:
    """Ctrl-C half-way leaves no part of the stream, nor anything that listens on its subjects."""
    with pytest.raises(KeyboardInterrupt):
        restore(client, saved, _at_half(_interrupt))
    assert [] == list(client.streams())
    client.create(config("OTHER", subjects=["o.>"]))
    assert b'"OTHER"' in client.connection.request("o.1", b"payload")


def test_interrupted_backup(client: JetStream, tmp_path: Path) -> None:
    """Ctrl-C half-way leaves no folder."""
    with pytest.raises(KeyboardInterrupt):
        backup(client, NAME, tmp_path / "to", _interrupt)
    assert not (tmp_path / "to").exists()


def test_a_stream_made_meanwhile_is_not_touched(client: JetStream, proxy: Proxy, nats: NatsServer, saved: Path) -> None:
    """A service that creates the stream when the restore has just begun keeps it, with its message."""

    def service() -> None:
        with closing(JetStream(nats.url, Credentials())) as other:
            other.create(config(NAME, subjects=["o.>"]))
            other.connection.request("o.1", b"service")

    proxy.set(CHUNK, service)
    assert "already in use" in _fails(lambda: restore(client, saved, silent))
    assert 1 == len(messages(client))


@pytest.mark.parametrize("damage", ["flipped", "cut", "longer", "empty", "gone"])
def test_damaged_archive(client: JetStream, saved: Path, damage: str) -> None:
    """A changed archive is found before the server is asked for anything."""
    archive = saved / ARCHIVE
    data = archive.read_bytes()
    middle = len(data) // 2
    damaged = {
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "cut": data[:-1],
        "longer": data + b"x",
        "empty": b"",
    }
    archive.write_bytes(damaged.get(damage, data))
    if damage == "gone":
        archive.unlink()

    assert f"{saved}: is not a usable backup" in _fails(lambda: restore(client, saved, silent))
    assert client.stream(NAME) is None


def test_archive_the_server_finds_damaged(client: JetStream, saved: Path) -> None:
    """With a checksum that fits, the server's own check is the last; its stream is taken away again."""
    archive, manifest = saved / ARCHIVE, saved / MANIFEST
    old = load(saved)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    text = manifest.read_text().replace(old.sha256, hashlib.sha256(data).hexdigest())
    manifest.write_text(text)

    assert f"{NAME}: not restored: restore failed" in _fails(lambda: restore(client, saved, silent))
    assert client.stream(NAME) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": 1}', "\x00", "nonsense"])
def test_damaged_manifest(client: JetStream, saved: Path, text: str) -> None:
    """A manifest that is none is one line."""
    (saved / MANIFEST).write_text(text)
    assert f"{MANIFEST} is not one of this program's" in _fails(lambda: restore(client, saved, silent))


def test_a_user_who_may_not(tmp_path: Path) -> None:
    """A denied acknowledgement or chunk is named at once, not waited for."""
    denied = '{ deny: ["$JS.SNAPSHOT.>"] }'
    users = f'{{ user: "all", password: "p" }}, {{ user: "some", password: "p", permissions: {{ publish: {denied} }} }}'
    with (
        running(tmp_path / "nats", extra=f"authorization {{ users: [ {users} ] }}") as server,
        closing(JetStream(server.url, Credentials("all", "p"))) as able,
        closing(JetStream(server.url, Credentials("some", "p"))) as unable,
    ):
        with raw_client(server.url, user="all", password="p") as raw:
            fill_as(raw, MESSAGES, size=BIG)
        backup(able, NAME, tmp_path / "good", silent)
        assert "may not publish to $JS.SNAPSHOT.ACK." in _fails(lambda: backup(unable, NAME, tmp_path / "b", silent))
        delete(able, server)
        text = _fails(lambda: restore(unable, tmp_path / "good" / NAME, silent))
        assert "may not publish to $JS.SNAPSHOT.RESTORE" in text
        assert able.stream(NAME) is None


def test_full_disk(client: JetStream, tmp_path: Path) -> None:
    """A disk that takes no more is one line, and what was written is gone."""

    def full(_stream: str, done: int, _total: int | None) -> None:
        if done > 1_000_000:
            raise OSError(28, "No space left on device")

    assert "No space left on device" in _fails(lambda: backup(client, NAME, tmp_path / "to", full))
    assert not (tmp_path / "to").exists()
