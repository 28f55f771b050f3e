"""Which server is meant, and how to log in to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from provisioner.errors import ProvisionerError
from provisioner.jetstream import address

DEFAULT_URL: Final = "nats://127.0.0.1:4222"
DEFAULT_MONITOR_URL: Final = "http://127.0.0.1:8222"
_LOGIN_VARIABLES: Final = {
    "user": "NATS_USER",
    "password": "NATS_PASSWORD",
    "token": "NATS_TOKEN",
    "credentials": "NATS_CREDS",
    "nkey": "NATS_NKEY",
}
_VARIABLES: Final = {
    **_LOGIN_VARIABLES,
    "ca": "NATS_CA",
    "cert": "NATS_CERT",
    "key": "NATS_KEY",
    "inbox_prefix": "NATS_INBOX_PREFIX",
}
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"
_DOMAIN_VARIABLE: Final = "NATS_JS_DOMAIN"
_API_VARIABLE: Final = "NATS_JS_API_PREFIX"
# The one of nats.py and every other client.
# Of a message; None for none.
Headers: TypeAlias = dict[str, str] | None
INBOX_PREFIX: Final = "_INBOX"


@dataclass(frozen=True)
class _UrlKind:
    of: str
    schemes: tuple[str, ...]
    example: str


_SERVER: Final = _UrlKind("a NATS server", ("nats", "tls", "ws", "wss"), "nats://host:4222")
_MONITORING: Final = _UrlKind("a server's monitoring", ("http", "https"), "http://host:8222")


@dataclass(frozen=True)
class Credentials:
    """How to log in; no secret is in its repr.

    Attributes:
        credentials: a .creds file's path or its text.
        nkey: a user's seed, or the path of the file that has it.
        inbox_prefix: where answers go, for a user who may not subscribe to all inboxes.
        ca: the path of a file with the certificates that are trusted; by default those that the machine trusts.
        trusted: the certificates that are trusted where the server speaks TLS, in PEM; it need not.
        cert: the path of the certificate that is shown to a server which asks for one.
        key: the path of its private key.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    credentials: str | None = field(default=None, repr=False)
    nkey: str | None = field(default=None, repr=False)
    inbox_prefix: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = field(default=None, repr=False)
    trusted: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Target:
    """The server to ask; ``monitor_url`` is empty where its monitoring is not to be asked."""

    url: str
    monitor_url: str
    credentials: Credentials = field(default_factory=Credentials)


def target(url: str | None, monitor_url: str | None, environment: Mapping[str, str]) -> Target:
    """The server that options name, else the environment, else this machine's.

    This machine's monitoring is the default only where this machine's server is.

    Raises:
        ProvisionerError: a URL cannot be used, or holds credentials.
    """
    url = url or environment.get("NATS_URL") or None
    if monitor_url is None:
        monitor_url = environment.get("NATS_MONITOR_URL", "" if url else DEFAULT_MONITOR_URL)
    login = f"the variables {', '.join(_LOGIN_VARIABLES.values())}"
    try:
        server = server_urls(url or DEFAULT_URL, login)
        monitoring = monitor_url and _each(monitor_url, _MONITORING, login)
    except ValueError as error:
        raise ProvisionerError(f"URL: {error}") from None
    login_values = {name: environment.get(key) for name, key in _VARIABLES.items()}
    if _CERTIFICATE in (login_values["ca"] or ""):  # of the stack's own authority there need not be a file
        login_values["ca"], login_values["trusted"] = None, login_values["ca"]
    return Target(address.address(server, _api(environment)), monitoring, Credentials(**login_values))


def _api(environment: Mapping[str, str]) -> str | None:
    domain, prefix = environment.get(_DOMAIN_VARIABLE), environment.get(_API_VARIABLE)
    if domain and prefix:
        raise ProvisionerError(f"{_DOMAIN_VARIABLE} and {_API_VARIABLE}: both name the API; keep one")
    try:
        return address.domain_api(domain) if domain else address.api_prefix(prefix) if prefix else None
    except ValueError as error:
        raise ProvisionerError(f"{_DOMAIN_VARIABLE if domain else _API_VARIABLE}: {error}") from None


def monitor_urls(text: str, login: str) -> str:
    """The URLs of one or more servers' monitoring; as ``server_urls``."""
    return _each(text, _MONITORING, login)


def server_urls(text: str, login: str) -> str:
    """The URLs of one or more servers of a cluster, with commas between.

    Args:
        text: the URLs.
        login: where credentials belong instead.

    Raises:
        ValueError: one of them is not the URL of a NATS server, or holds credentials.
    """
    return _each(text, _SERVER, login)


def _each(urls: str, kind: _UrlKind, login: str) -> str:
    return ",".join(_checked(url.strip(), kind, login) for url in urls.split(","))


def _checked(url: str, kind: _UrlKind, login: str) -> str:
    if "@" in url:  # it may hold a password: do not repeat it
        raise ValueError(f"holds credentials; put them in {login}")
    if "#" in url or not _is_url(url, kind.schemes):
        raise ValueError(f"{url!r} is not the URL of {kind.of}; write it like {kind.example}")
    return url


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
