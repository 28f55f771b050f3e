"""NATS's protocol line by line: thousands of operations at once, and which of them the server denies."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import nkeys

from tests.support.nkey import UserNkey

_DEADLINE_S = 20.0
_DENIED = re.compile(rb"-ERR 'Permissions Violation for (Publish|Subscription)[^\"]*\"([^\"]+)\"")


class NatsLines:
    """A logged-in connection."""

    def __init__(self, url: str, user: UserNkey, jwt: str | None = None) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 0), _DEADLINE_S)
        self._received = self._socket.makefile("rb")
        nonce = json.loads(self._received.readline().removeprefix(b"INFO "))["nonce"]
        signature = nkeys.from_seed(user.seed.encode()).sign(nonce.encode())
        login = {
            **({"jwt": jwt} if jwt else {"nkey": user.public}),
            "sig": base64.urlsafe_b64encode(signature).rstrip(b"=").decode(),
            "verbose": False,
            "pedantic": False,
            "headers": True,
            "no_responders": True,
        }
        assert [] == self._answers(f"CONNECT {json.dumps(login)}\r\n")

    def denied_publishing(self, subjects: Iterable[str], payload: str = "!", reply: str = "") -> set[str]:
        """Publish to each subject; those that the server denies. Nothing in JetStream's API begins with a ``!``."""
        lines = (f"PUB {subject} {reply} {len(payload)}\r\n{payload}\r\n" for subject in subjects)
        return self._denied("Publish", "".join(lines))

    def denied_subscribing(self, subjects: Iterable[str]) -> set[str]:
        """Subscribe to each subject and unsubscribe again; those that the server denies."""
        lines = (f"SUB {subject} {number}\r\nUNSUB {number}\r\n" for number, subject in enumerate(subjects, 1))
        return self._denied("Subscription", "".join(lines))

    def close(self) -> None:
        """Close."""
        self._received.close()
        self._socket.close()

    def _denied(self, action: str, lines: str) -> set[str]:
        found = [_DENIED.match(line) for line in self._answers(lines)]
        assert all(found), "the server says something else than that a permission is missing"
        assert {action} == {match[1].decode() for match in found if match} or not found
        return {match[2].decode() for match in found if match}

    def _answers(self, lines: str) -> list[bytes]:
        """What the server says of these lines: errors come before the answer to the PING behind them."""
        self._socket.sendall(f"{lines}PING\r\n".encode())
        return [*self._until_pong()]

    def _until_pong(self) -> Iterator[bytes]:
        while (line := self._received.readline()) != b"PONG\r\n":
            assert line, "the server closed the connection"
            if line == b"PING\r\n":
                self._socket.sendall(b"PONG\r\n")
            elif not line.startswith(b"INFO "):
                yield line


@contextmanager
def nats_lines(url: str, user: UserNkey, jwt: str | None = None) -> Iterator[NatsLines]:
    """A logged-in connection, closed in the end."""
    connection = NatsLines(url, user, jwt)
    try:
        yield connection
    finally:
        connection.close()
