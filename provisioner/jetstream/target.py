"""Which server is meant, and how to log in to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from provisioner.errors import ProvisionerError

DEFAULT_URL: Final = "nats://127.0.0.1:4222"
DEFAULT_MONITOR_URL: Final = "http://127.0.0.1:8222"
_CREDENTIALS: Final = {
    "user": "NATS_USER",
    "password": "NATS_PASSWORD",
    "token": "NATS_TOKEN",
    "credentials": "NATS_CREDS",
}


@dataclass(frozen=True)
class Credentials:
    """How to log in; none of it is ever shown. ``credentials`` is a .creds file or its text."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    credentials: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Target:
    """The server to ask; ``monitor_url`` is empty where its monitoring is not to be asked."""

    url: str
    monitor_url: str
    credentials: Credentials = field(default_factory=Credentials)


def target(url: str | None, monitor_url: str | None, environment: Mapping[str, str]) -> Target:
    """Which server is meant: this machine's monitoring is asked only about this machine's server.

    Raises:
        ProvisionerError: a URL is of no use, or holds credentials.
    """
    url = url or environment.get("NATS_URL") or None
    if monitor_url is None:
        monitor_url = environment.get("NATS_MONITOR_URL", "" if url else DEFAULT_MONITOR_URL)
    given = {name: environment.get(variable) for name, variable in _CREDENTIALS.items()}
    return Target(
        _checked(url or DEFAULT_URL, ("nats", "tls", "ws", "wss"), "the server's URL"),
        _checked(monitor_url, ("http", "https"), "the monitoring URL") if monitor_url else "",
        Credentials(**given),
    )


def _checked(url: str, schemes: tuple[str, ...], what: str) -> str:
    if "@" in url:  # it may hold a password: do not repeat it
        raise ProvisionerError(f"{what} holds credentials; put them in {', '.join(_CREDENTIALS.values())}")
    if not _is_url(url, schemes):
        raise ProvisionerError(f"{what} {url!r} cannot be used; write it like {schemes[0]}://host:port")
    return url


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
