"""``streams plan-loss`` on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.catalogue import reader as catalogue
from provisioner.cli.main import main
from provisioner.jetstream.client import JetStream
from tests.support.configurations import config
from tests.support.nats_py import put_all
from tests.support.nats_server import NatsServer
from tests.support.ports import free_port


def _asked(server: str, folder: Path, text: str) -> int:
    file = folder / "streams.yaml"
    file.write_text(text)
    return main(["plan-loss", "--catalogue", str(file), "--url", server])


def test_nothing_would_be_deleted(
    server: NatsServer, jetstream: JetStream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A catalogue that only widens, and a stream that is not there yet."""
    jetstream.create(config("ORDERS", subjects=["orders"], max_age="1d"))
    jetstream.connection.request("orders", b"payload")
    text = "ORDERS: {subjects: [orders], max_age: 7d}\nNEW: {subjects: [new]}\n"
    assert 0 == _asked(server.url, tmp_path, text)
    assert "no stored message would be deleted\n" == capsys.readouterr().out


def test_what_would_be_deleted(
    server: NatsServer, jetstream: JetStream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row for a limit, a replacement and a stream that the catalogue does not have; nothing is touched."""
    for name in ("TRIMMED", "REPLACED", "LEAVING"):
        jetstream.create(config(name, subjects=[name]))
        for _ in range(3):
            jetstream.connection.request(name, b"payload")
    before = jetstream.streams()
    text = "TRIMMED: {subjects: [TRIMMED], max_msgs: 1}\nREPLACED: {subjects: [REPLACED], first_seq: 9}\n"

    assert 1 == _asked(server.url, tmp_path, text)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "Stream Change Messages lost Holds" == lines[0]
    assert lines[1].startswith("TRIMMED max_msgs unlimited -> 1 2 3 messages, ")
    assert lines[2].startswith("REPLACED first_seq 0 -> 9 (a new stream) 3 3 messages, ")
    assert lines[3].startswith("LEAVING not in the catalogue all, if the stack manages it 3 messages, ")
    assert before == jetstream.streams()


def test_nobody_can_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No server, or a catalogue with problems: a code of its own."""
    assert 2 == _asked(f"nats://127.0.0.1:{free_port()}", tmp_path, "A: {}\n")
    assert "connection refused" in capsys.readouterr().err
    assert 2 == _asked("nats://127.0.0.1:1", tmp_path, "A: {max_age: 7 apples}\n")
    assert "A.max_age" in capsys.readouterr().err


def test_buckets_are_told_of_in_their_words(
    server: NatsServer, jetstream: JetStream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is trimmed, and one that the catalogue does not have; without any bucket in it, they are others'."""
    wanted = "buckets:\n  TRIMMED: {history: %d}\n"
    for text in (wanted % 3, "buckets:\n  LEAVING:\n"):
        jetstream.create(catalogue.parse(text, "c").streams[0].config)
    put_all(server, "TRIMMED", key=[b"1", b"2", b"3"])
    put_all(server, "LEAVING", key=[b"1"])

    assert 0 == _asked(server.url, tmp_path, "OTHER: {}\n")
    capsys.readouterr()
    assert 1 == _asked(server.url, tmp_path, wanted % 1)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1].startswith("KV_TRIMMED history 3 -> 1 2 1 key in 3 revisions, ")
    assert lines[2].startswith("KV_LEAVING not in the catalogue all, if the stack manages it 1 key in 1 revision, ")
