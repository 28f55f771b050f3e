"""A restore that is killed at any moment: its part is known as one, and the next restore makes it whole."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import nats
import pytest

from provisioner.backup.archive import MANIFEST, backup
from provisioner.backup.restore import restore
from provisioner.errors import BackupError, ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.rules.restore_mark import mark_of
from tests.support.configurations import config
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import raw_client
from tests.support.snapshots import NAME, consumer, delete, silent
from tests.support.waiting import until

MESSAGES = 118_000
KILLS = 4
CRITICAL = 2


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server to kill."""
    with running(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
def saved(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a large stream with a consumer."""
    folder = tmp_path_factory.mktemp("saved")
    with closing(JetStream(nats_server.url, Credentials())) as client:
        client.create(config(NAME, subjects=["o.>"]))
        asyncio.run(_fill(nats_server.url))
        until("every message is stored", lambda: client.state(NAME)["messages"] == MESSAGES, 60)
        consumer(client, "c", filter_subject="o.3")
        backup(client, NAME, folder, silent)
    return folder / NAME


@pytest.fixture
def client(nats_server: NatsServer, saved: Path) -> Iterator[JetStream]:
    """A client of the server without the stream."""
    assert saved.is_dir()
    with closing(JetStream(nats_server.url, Credentials())) as client:
        delete(client, nats_server)
        yield client


async def _fill(url: str) -> None:
    """Without waiting for acknowledgements: the messages are many."""
    connection = await nats.connect(url)
    payloads = random.Random(7)  # noqa: S311 - no secret, but nothing that compresses
    for number in range(MESSAGES):
        await connection.publish(f"o.{number % 7}", payloads.randbytes(200))
        if number % 1_000 == 0:
            await connection.flush()
    await connection.close()


def _state(client: JetStream) -> dict[str, Any]:
    return {key: value for key, value in client.state(NAME).items() if key != "consumer_count"}


def _expected(saved: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((saved / MANIFEST).read_text())["state"]
    return {key: value for key, value in state.items() if key != "consumer_count"}


def _stored(client: JetStream) -> int:
    """How many messages are there; none where nobody answers."""
    try:
        info = client.stream(NAME)
    except ProvisionerError:
        return 0
    return info.messages if info else 0


def _command(url: str, saved: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "provisioner", "restore", str(saved), "--url", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill_at(client: JetStream, command: subprocess.Popen[bytes], messages: int, kill: Callable[[], object]) -> None:
    until(f"{messages} messages", lambda: _stored(client) >= messages or command.poll() is not None, 60)
    kill()


def _require_known_for_what_it_is(client: JetStream, saved: Path) -> str:
    """A stream with the mark takes in nothing; one without it is whole."""
    info = client.stream(NAME)
    assert info
    mark = mark_of(info.config)
    if mark is None:
        assert _expected(saved) == _state(client)
        return "whole"
    assert (str(saved), MESSAGES, ["_released.ORDERS"]) == (mark.copy, mark.messages, info.config["subjects"])
    return "partial"


def _status(server: NatsServer, folder: Path) -> tuple[str, str, int]:
    """The stream's state, what is said of it, and the exit code."""
    (folder / "streams.yaml").write_text(f"{NAME}: {{subjects: [o.>]}}\n")
    arguments = ["status", "--json", "--catalogue", str(folder / "streams.yaml")]
    done = subprocess.run(
        [sys.executable, "-m", "provisioner", *arguments],
        env=os.environ | {"NATS_URL": server.url, "NATS_MONITOR_URL": server.monitor_url},
        capture_output=True,
        check=False,
    )
    (stream,) = json.loads(done.stdout)["streams"]
    (check,) = [check for check in json.loads(done.stdout)["checks"] if check["name"] == NAME]
    text = re.sub("restored [0-9,]+ of", "restored NN of", check["text"])
    return stream["state"], text, done.returncode


@pytest.mark.parametrize("seed", range(KILLS))
def test_the_command_is_killed(
    client: JetStream, nats_server: NatsServer, saved: Path, tmp_path: Path, seed: int
) -> None:
    """The part says that it is one; status says so too, and the same command again completes it."""
    moment = random.Random(seed).randrange(1, MESSAGES * 9 // 10)  # noqa: S311 - no secret
    command = _command(nats_server.url, saved)
    _kill_at(client, command, moment, command.kill)
    command.wait()
    if _require_known_for_what_it_is(client, saved) == "partial":
        text = f"partial: restored NN of {MESSAGES:,} messages; run streams restore {saved}"
        assert ("partial", text, CRITICAL) == _status(nats_server, tmp_path)
        restore(client, saved, silent)
    assert _expected(saved) == _state(client)
    assert ("ok", "is as the catalogue says") == _status(nats_server, tmp_path)[:2]


@pytest.mark.parametrize("seed", range(KILLS))
def test_server_and_command_are_killed(client: JetStream, nats_server: NatsServer, saved: Path, seed: int) -> None:
    """The server starts again with a part that says so, with the whole, or with nothing."""
    moment = random.Random(100 + seed).randrange(1, MESSAGES * 9 // 10)  # noqa: S311 - no secret
    command = _command(nats_server.url, saved)

    def kill_both() -> None:
        nats_server.kill()
        command.kill()

    _kill_at(client, command, moment, kill_both)
    command.wait()
    nats_server.start()
    until("the server answers", lambda: _answers(client))
    if client.stream(NAME) is None or _require_known_for_what_it_is(client, saved) == "partial":
        restore(client, saved, silent)
    assert _expected(saved) == _state(client)
    assert {"c": 0} == client.ack_floors(NAME)


def _answers(client: JetStream) -> bool:
    try:
        client.account()
    except ProvisionerError:
        return False
    return True


def _interrupted(client: JetStream, saved: Path) -> None:
    """Leave a part of the stream."""
    command = _command(client.connection.url, saved)
    _kill_at(client, command, 1, command.kill)
    command.wait()
    assert "partial" == _require_known_for_what_it_is(client, saved)


def test_nobody_can_publish_into_a_part(client: JetStream, nats_server: NatsServer, saved: Path) -> None:
    """Neither while it is restored, so that no sequence is taken, nor after the restore was cut short."""
    publishers: list[bytes] = []

    def publish(_name: str, done: int, total: int | None) -> None:
        if total and done > total // 2 and not publishers:
            with raw_client(nats_server.url) as raw:
                publishers.append(raw.request("$JS.API.STREAM.NAMES", b'{"subject": "o.1"}'))

    restore(client, saved, publish)
    assert not json.loads(publishers[0])["streams"]
    assert _expected(saved) == _state(client)


def test_a_part_with_a_message_that_the_copy_does_not_have(client: JetStream, saved: Path) -> None:
    """Somebody has opened it and published: it is left as it is, and the text says what to do."""
    _interrupted(client, saved)
    info = client.stream(NAME)
    assert info
    client.update({**info.config, "subjects": ["o.>"]})
    until("the server gives the restore up", lambda: _published(client), 30)
    before = _stored(client)
    with pytest.raises(BackupError, match="with messages that are not in the backup: it is left as it is; back it up"):
        restore(client, saved, silent)
    assert before == _stored(client)


def _published(client: JetStream) -> bool:
    try:
        return b'"seq"' in client.connection.request("o.1", b"new", 1)
    except ProvisionerError:
        return False


def test_a_part_of_another_copy(client: JetStream, nats_server: NatsServer, saved: Path, tmp_path: Path) -> None:
    """A part belongs to the copy it came from: another copy does not take its place."""
    client.create(config(NAME, subjects=["o.>"]))
    client.connection.request("o.1", b"other")
    backup(client, NAME, tmp_path, silent)
    delete(client, nats_server)
    _interrupted(client, saved)
    with pytest.raises(BackupError, match=f"a part of another backup is on the server: run streams restore {saved}"):
        restore(client, tmp_path / NAME, silent)
    with pytest.raises(BackupError, match=f"{NAME}: not backed up: the stream is partial: restored "):
        backup(client, NAME, tmp_path / "part", silent)


def test_a_second_restore_meanwhile(client: JetStream, nats_server: NatsServer, saved: Path) -> None:
    """One of two restores at the same moment completes; the other says why not, and takes nothing away."""
    errors: list[str] = []

    def second(_name: str, done: int, total: int | None) -> None:
        if total and done > total // 2 and not errors:
            command = subprocess.run(
                [sys.executable, "-m", "provisioner", "restore", str(saved), "--url", nats_server.url],
                capture_output=True,
                text=True,
                check=False,
            )
            errors.append(command.stderr or command.stdout)

    try:
        restore(client, saved, second)
    except BackupError as error:
        errors.append(str(error))
    assert _expected(saved) == _state(client), errors
    assert "whole" == _require_known_for_what_it_is(client, saved)
