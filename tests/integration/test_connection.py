"""Connections that fail or are left open: nothing of asyncio's is said about them."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.errors import InvalidAnswer, NobodyListens, Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.connection import Connection
from provisioner.jetstream.target import Credentials
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.requests import answering

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal, sys
from provisioner.errors import ProvisionerError
from provisioner.jetstream.connection import Connection
from provisioner.jetstream.target import Credentials

url, pid = sys.argv[1], int(sys.argv[2])
for login, address in ((Credentials(token="wrong"), url), (Credentials(token="right"), "nats://127.0.0.1:1")):
    try:
        Connection(address, login, 0.5)
    except ProvisionerError as error:
        print(type(error).__name__)
left_open = Connection(url, Credentials(token="right"))
os.kill(pid, signal.SIGKILL)
try:
    left_open.request("$JS.API.INFO", timeout=0.5)
except ProvisionerError as error:
    print(type(error).__name__)
"""


def test_a_process_ends_without_a_word(tmp_path: Path) -> None:
    """Refused, unreachable, or left open while it reconnects: no task is destroyed, nothing is reported."""
    with running(tmp_path, "authorization { token: right }") as server:
        assert server.process
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM, server.url, str(server.process.pid)],
            check=False, cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert (0, "LoginRefused\nNobodyListens\nUnreachable\n", "") == (done.returncode, done.stdout, done.stderr)


def test_nobody_listens() -> None:
    """A refused connection is told from an answer that does not come."""
    url = f"nats://127.0.0.1:{free_port()}"
    with pytest.raises(NobodyListens, match=rf"^{url}: no NATS server answers within 0.3 s: connection refused"):
        Connection(url, Credentials(), 0.3)


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that takes connections and says nothing, as one does that is stopped."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"nats://127.0.0.1:{listener.getsockname()[1]}"


def test_one_of_several_servers_hangs(hanging: str, server: NatsServer) -> None:
    """Each of them is given its time, in whichever order they are tried."""
    urls = f"{hanging},nats://127.0.0.1:{free_port()},{hanging.replace('127.0.0.1', 'localhost')},{server.url}"
    connection = Connection(urls, Credentials(), 0.5)
    assert connection.server_version > (2, 0, 0)
    connection.close()


def test_a_server_that_hangs_is_not_one_that_nobody_listens_at(hanging: str) -> None:
    """The others may refuse connections: as long as one has not answered, nobody knows."""
    with pytest.raises(Unreachable, match=r"no NATS server answers within 4 s") as raised:
        Connection(f"{hanging},nats://127.0.0.1:{free_port()}", Credentials(), 0.5)
    assert not isinstance(raised.value, NobodyListens)


def test_close_is_idempotent(server: NatsServer) -> None:
    """A second close does nothing."""
    connection = Connection(server.url, Credentials())
    connection.close()
    connection.close()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"<html>", "an answer of 6 bytes is not JSON"),
        (b"[" * 100_000, "an answer of 100000 bytes is not JSON"),
        (b"[]", "an answer is JSON but not an object"),
        (b"{}", "an answer has no config"),
        (b'{"config": {}}', "an answer has no (created|name)"),
    ],
)
def test_an_answer_that_is_not_jetstreams(tmp_path: Path, answer: bytes, text: str) -> None:
    """Whatever answers in JetStream's place is one line."""
    with running(tmp_path, jetstream="") as server, answering(server.url, "$JS.API.>", answer):
        client = JetStream(server.url, Credentials())
        with pytest.raises(InvalidAnswer, match=f"{text}; something other than JetStream answers"):
            client.stream("ORDERS")
        client.close()
