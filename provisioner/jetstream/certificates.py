"""The certificates that servers really show, asked for by a handshake with each: when they end."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from provisioner.errors import LoginRefused
from provisioner.jetstream import tls
from provisioner.jetstream.target import Credentials

_TIMEOUT_S: Final = 2.0
_LONGEST_GREETING: Final = 65_536
_PORTS: Final = {"https": 443, "wss": 443}
_NATS_PORT: Final = 4222
_AT_ONCE: Final = 16
# Where nothing comes before the handshake.
_TLS_ALONE: Final = ("https", "wss")


@dataclass(frozen=True)
class Certificate:
    """What one server shows.

    Attributes:
        url: where.
        ends: when it expires; None where it is refused, and nothing in it is to be believed.
        problem: why it is refused.
        has_expired: whether that is the reason.
    """

    url: str
    ends: datetime | None = None
    problem: str = ""
    has_expired: bool = False


def shown(urls: Collection[str], credentials: Credentials) -> list[Certificate]:
    """The certificates at these URLs; nothing of a server that does not answer or speaks no TLS.

    Args:
        urls: of servers and their monitoring.
        credentials: of them only whom to trust.
    """
    if not urls:
        return []
    with suppress(LoginRefused), ThreadPoolExecutor(_AT_ONCE) as executor:
        contexts = {True: tls.monitoring_context(credentials), False: tls.context(credentials)}
        return [found for found in executor.map(partial(_at, contexts), urls) if found]
    return []


def _at(contexts: dict[bool, ssl.SSLContext], url: str) -> Certificate | None:
    parts = urlsplit(url)
    where = (parts.hostname or "", parts.port or _PORTS.get(parts.scheme, _NATS_PORT))
    try:
        with socket.create_connection(where, _TIMEOUT_S) as connection:
            if not (parts.scheme in _TLS_ALONE or _greets_with_tls(connection)):
                return None
            context = contexts[parts.scheme == "https"]
            with context.wrap_socket(connection, server_hostname=where[0]) as wrapped:
                return Certificate(url, _end(wrapped))
    except OSError as error:
        problem = tls.problem(error)
        return Certificate(url, None, problem, tls.has_expired(error)) if problem else None


def _greets_with_tls(connection: socket.socket) -> bool:
    """Whether the greeting, which comes in clear, asks for TLS."""
    greeting = connection.makefile("rb", buffering=0).readline(_LONGEST_GREETING)
    try:
        info = json.loads(greeting.partition(b" ")[2])
        return bool(info.get("tls_required") or info.get("tls_available"))
    except (ValueError, AttributeError):
        return False


def _end(connection: ssl.SSLSocket) -> datetime:
    certificate = connection.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
