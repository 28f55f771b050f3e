"""``streams backup`` and ``restore`` of whole servers, and ``backup --verify``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.backup.archive import ARCHIVE, MANIFEST
from provisioner.cli.main import main
from provisioner.jetstream.client import JetStream
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.snapshots import NAME, consumer, delete, fill, messages

OTHERS = ("KV_settings", "OBJ_files", "$MQTT_rmsgs", "_own")


@pytest.fixture(autouse=True)
def _server(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", server.url)


@pytest.fixture
def estate(jetstream: JetStream, server: NatsServer) -> JetStream:
    """A stream, two buckets and two streams that a server makes for itself."""
    fill(jetstream, 30)
    consumer(jetstream, "half")
    for number, name in enumerate(OTHERS):
        jetstream.create(config(name, subjects=[f"other.{number}"]))
        jetstream.connection.request(f"other.{number}", b"payload")
    assert server.process
    return jetstream


def test_all_streams_come_back(
    estate: JetStream, server: NatsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without names, every stream of the account is backed up and restored: buckets and the server's own too."""
    before = {name: info.messages for name, info in estate.streams().items()}
    stored = messages(estate)

    assert 0 == main(["backup", "--to", str(tmp_path)])
    assert sorted(before) == [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    for name in before:
        delete(estate, server, name)
    assert 0 == main(["restore", str(tmp_path)])

    assert (before, stored) == ({name: info.messages for name, info in estate.streams().items()}, messages(estate))


def test_a_server_without_streams(jetstream: JetStream, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to back up is a problem, not a success: somebody expected streams there."""
    assert {} == jetstream.streams()
    assert 1 == main(["backup", "--to", str(tmp_path / "to")])
    assert ("", "the server has no streams to back up\n") == capsys.readouterr()


@pytest.mark.usefixtures("estate")
def test_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each backup is a line that says what it holds; no server is asked."""
    assert 0 == main(["backup", NAME, "KV_settings", "--to", str(tmp_path)])
    capsys.readouterr()
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:1")

    assert 0 == main(["backup", "--verify", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert ["KV_settings: intact: 1 message and 0 consumers", f"{NAME}: intact: 30 messages and 1 consumer"] == [
        line.split(", ")[0] for line in lines
    ]
    assert 0 == main(["backup", "--verify", str(tmp_path), NAME])
    assert 0 == main(["backup", "--verify", str(tmp_path / NAME)])
    assert [lines[1]] * 2 == capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("estate")
@pytest.mark.parametrize("damage", ["changed", "cut", "no archive", "no manifest", "not a manifest"])
def test_verify_finds_damage(tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A damaged backup is named and makes the exit code 1; the good one beside it is still told."""
    assert 0 == main(["backup", NAME, "KV_settings", "--to", str(tmp_path)])
    capsys.readouterr()
    archive, manifest = tmp_path / NAME / ARCHIVE, tmp_path / NAME / MANIFEST
    data = archive.read_bytes()
    damages: dict[str, Callable[[], object]] = {
        "changed": lambda: archive.write_bytes(bytes([data[0] ^ 1]) + data[1:]),
        "cut": lambda: os.truncate(archive, len(data) - 1),
        "no archive": archive.unlink,
        "no manifest": manifest.unlink,
        "not a manifest": lambda: manifest.write_text("{}"),
    }
    damages[damage]()

    assert 1 == main(["backup", "--verify", str(tmp_path)])
    printed = capsys.readouterr()
    assert printed.out.startswith("KV_settings: intact: 1 message")
    assert printed.err.startswith(f"{tmp_path / NAME}: is not a usable backup: ")
    assert (1, 1) == (printed.out.count("\n"), printed.err.count("\n"))


@pytest.mark.usefixtures("estate")
def test_verify_where_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without backups is a problem, which names the folders below that have some."""
    assert 1 == main(["backup", "--verify", str(tmp_path)])
    assert 0 == main(["backup", NAME, "--to", str(tmp_path / "monday")])
    assert 1 == main(["restore", str(tmp_path)])
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path}: no backup found",
        f"{tmp_path}: no backup found; there are backups in {tmp_path / 'monday'}",
    ]
