"""A NATS server whose JetStream API never answers, as a cluster without a quorum."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_INFO = (
    b'INFO {"server_id":"MUTE","server_name":"mute","version":"2.15.1","proto":1,"host":"127.0.0.1",'
    b'"port":4222,"headers":true,"max_payload":1048576,"jetstream":true}\r\n'
)


class _Client(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(_INFO)
        for line in self.rfile:
            if line.startswith(b"PING"):
                self.wfile.write(b"PONG\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def mute_server() -> Iterator[str]:
    """The URL of such a server."""
    with _Server(("127.0.0.1", 0), _Client) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.1,), name="mute")
        serving.start()
        try:
            yield f"nats://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()
