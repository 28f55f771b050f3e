"""The monitoring client against servers that misbehave."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from provisioner.jetstream.monitoring import MONITORING_TIMEOUT_S, Answer, fetch
from tests.support.nats_server import NatsServer
from tests.support.ports import free_port

OK = b"HTTP/1.0 200 OK\r\n\r\n"
FOREIGN = Answer(problem="is not an answer of nats-server; check the monitoring URL")
LATE = Answer(problem=f"no answer within {MONITORING_TIMEOUT_S:g} s")


@contextmanager
def answering(reply: bytes, *, drip: bool = False) -> Iterator[str]:
    """A server that answers everything with these bytes; ``drip``: one now and then, without end."""
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            connection.sendall(reply)
            while drip and not ended.wait(0.1):
                connection.sendall(b" ")

    def accept() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (OK + b'{"status": "ok"}', Answer({"status": "ok"})),
        (b"HTTP/1.0 503 Unavailable\r\n\r\n" + b'{"status": "unavailable"}', Answer({"status": "unavailable"})),
        (b"HTTP/1.0 404 Not Found\r\n\r\n<html>", FOREIGN),
        (OK + b'{"status": ', FOREIGN),
        (OK + b"[]", FOREIGN),
        (OK + b"\xff\xfe", FOREIGN),
        (OK + b"[" * 100_000, FOREIGN),
        (
            b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n{",
            Answer(problem="no answer: IncompleteRead(1 bytes read, 98 more expected)"),
        ),
    ],
)
def test_answers(reply: bytes, expected: Answer) -> None:
    """A failing health check has a body to read; whatever is no JSON object is told as such."""
    with answering(reply) as url:
        assert {"/healthz": expected} == fetch(url, ["/healthz"])


def test_not_http() -> None:
    """Another protocol on the port, a NATS client port say, is a line and no crash."""
    with answering(b"INFO {}\r\n") as url:
        assert fetch(url, ["/varz"])["/varz"].problem.startswith("no answer: ")


@pytest.mark.parametrize("start", [b"", OK + b"{"])
def test_dripping(start: bytes) -> None:
    """A server that always sends one more byte is left at the deadline, the endpoints all at once."""
    began = time.monotonic()
    with answering(start, drip=True) as url:
        assert {"/varz": LATE, "/jsz": LATE} == fetch(url, ["/varz", "/jsz"])
    assert time.monotonic() - began < 2 * MONITORING_TIMEOUT_S


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "a..b", "h" * 70])
def test_nobody(host: str) -> None:
    """Nobody there, or a name that cannot be one, is told in the system's words."""
    url = f"http://{host.format(port=free_port())}"
    assert fetch(url, ["/varz"])["/varz"].problem.startswith("no answer")


def test_no_proxy(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy for the web has no part in it."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert {"/healthz": Answer({"status": "ok"})} == fetch(f"{server.monitor_url}/", ["/healthz"])
