"""A Docker engine's API that answers from a table, on a socket: what a real one would have to be brought to say."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

NAME = "prediction-streams-dev"


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    answers: Mapping[str, Any]
    requests: list[str]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _answer(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        body = json.dumps(self.server.answers.get(self.path, {"message": "no such thing"})).encode()
        self.send_response(HTTPStatus.OK if self.path in self.server.answers else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Length", str(len(body)))
        with suppress(ConnectionError):  # who only wants to know whether anything answers does not listen to the end
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the base class's names

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def docker_api(socket: Path, answers: Mapping[str, Any]) -> Iterator[list[str]]:
    """Serve the answers, by path; the requests so far are what it yields."""
    socket.unlink(missing_ok=True)
    with _Server(str(socket), _Handler) as server:
        server.answers, server.requests = answers, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.requests
        finally:
            server.shutdown()
            thread.join()


def container(owner: str | None, *, ports: Mapping[int, int] | None = None, **state: bool) -> dict[str, Any]:
    """What the engine says of a container; its ports are those inside and those of the host."""
    published = {
        f"{inner}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}] for inner, port in (ports or {}).items()
    }
    return {
        "Id": "0123456789abcdef",
        "Name": f"/{NAME}",
        "Config": {"Image": "nats:2", "Labels": labels(owner)},
        "State": {"Running": True, "Paused": False, **state},
        "NetworkSettings": {"Ports": published},
    }


def volume(owner: str | None, folder: str | None = None) -> dict[str, Any]:
    """What the engine says of a volume."""
    return {"Name": NAME, "CreatedAt": "2026-01-02T03:04:05Z", "Labels": labels(owner, folder)}


def labels(owner: str | None, folder: str | None = None) -> dict[str, str] | None:
    """The labels of a thing; None of one that has none."""
    marks = {"prediction-streams.owner": owner, "prediction-streams.folder": folder}
    return {key: value for key, value in marks.items() if value} or None
