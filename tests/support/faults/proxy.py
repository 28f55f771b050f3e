"""A TCP proxy between a stack and its server: it delays answers, loses them, or acts at a chosen request."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

P = TypeVar("P", bound="Proxy")

_CHUNK = 1 << 16
_TICK_S = 0.1  # between two looks at whether the proxy is to end
_HELD_S = 0.02  # between two looks at whether the network is back
_ANSWER = b"MSG _INBOX."


@dataclass
class Trap:
    """What happens at the first request for a subject.

    Attributes:
        request: what the request holds, such as ``STREAM.CREATE.``.
        act: called once.
        lose_answer: act when the server has answered, and lose that answer with the connection;
            else act before the request is passed on.
    """

    request: bytes
    act: Callable[[], object]
    lose_answer: bool = False
    seen: bool = False
    sprung: bool = False

    def spring(self) -> None:
        """Act."""
        self.sprung = True
        self.act()


class Proxy(socketserver.ThreadingTCPServer):
    """Listens on a free port and passes everything on, late by ``delay`` seconds and up to its ``trap``."""

    daemon_threads = True
    delay = 0.0
    delays = 0
    cuts = 0
    trap: Trap | None = None

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.target = ("127.0.0.1", port)

    @property
    def url(self) -> str:
        """Where a client connects."""
        return f"nats://127.0.0.1:{self.server_address[1]}"

    def set(self, request: str, act: Callable[[], object] = bool, *, lose_answer: bool = False) -> Trap:
        """Lay a trap in place of the one before."""
        self.trap = Trap(request.encode(), act, lose_answer)
        return self.trap

    def cut(self) -> None:
        """End every connection there is; new ones are taken."""
        self.cuts += 1

    def asked(self, data: bytes) -> bool:
        """Look at a client's bytes; they are always passed on."""
        trap = self.trap
        if trap and not trap.seen and trap.request in data:
            trap.seen = True
            if not trap.lose_answer:
                trap.spring()
        return True

    def answered(self, data: bytes) -> bool:
        """Whether the server's bytes are passed on."""
        if self.delay:
            self.delays += 1
            time.sleep(self.delay)  # the fault itself: an answer that comes late
        trap = self.trap
        if trap and trap.seen and not trap.sprung and _ANSWER in data:
            trap.spring()
            return False
        return True


class Link(Proxy):
    """A way from one node of a cluster to another, which can be parted and healed."""

    _held = False
    _severed = False

    def part(self, *, silently: bool) -> None:
        """Hold back what is sent, or break every connection and any new one."""
        self._held, self._severed = silently, not silently
        if not silently:
            self.cut()

    def heal(self) -> None:
        """Pass everything on again, what was held back first."""
        self._held = self._severed = False

    def asked(self, data: bytes) -> bool:
        """Whether the bytes of the node that has connected are passed on, once they may be."""
        return self._passes() and super().asked(data)

    def answered(self, data: bytes) -> bool:
        """Whether the other node's bytes are passed on, once they may be."""
        return self._passes() and super().answered(data)

    def _passes(self) -> bool:
        while self._held:
            time.sleep(_HELD_S)  # the fault itself: a network that swallows everything
        return not self._severed


class _Conversation(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection(self.server.target) as upstream:
            self._pass_on(upstream)

    def _pass_on(self, upstream: socket.socket) -> None:
        ways: dict[Any, tuple[Callable[[bytes], bool], socket.socket]] = {
            self.request: (self.server.asked, upstream),
            upstream: (self.server.answered, self.request),
        }
        cuts = self.server.cuts
        while cuts == self.server.cuts:
            for ready in select.select([*ways], [], [], _TICK_S)[0]:
                passes, to = ways[ready]
                data = ready.recv(_CHUNK)
                if not (data and passes(data)):
                    return
                to.sendall(data)


@contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """A proxy in front of a local port."""
    with _serving(Proxy(port)) as proxy:
        yield proxy


@contextmanager
def linked(port: int) -> Iterator[Link]:
    """A link to a local port."""
    with _serving(Link(port)) as link:
        yield link


@contextmanager
def _serving(proxy: P) -> Iterator[P]:
    with proxy:
        serving = threading.Thread(target=proxy.serve_forever, args=(_TICK_S,), name="proxy")
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
