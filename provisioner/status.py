"""``python -m provisioner status``: the streams, wanted against live, and the server's health.

Asks, has the answers judged (``health``, ``stream_health``) and shown (``render``, ``report``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from provisioner import catalogue
from provisioner.client import JetStream
from provisioner.connection import Credentials
from provisioner.errors import ProvisionerError
from provisioner.health import ENDPOINTS, Result, Severity, api_result, monitoring_results
from provisioner.model import Live, StreamSpec
from provisioner.monitoring import Answer, fetch
from provisioner.render import console, show
from provisioner.report import Report, plain
from provisioner.stream_health import examine, unmanaged

Environment = Mapping[str, str]

DEFAULT_URL: Final = "nats://127.0.0.1:4222"
DEFAULT_MONITOR_URL: Final = "http://127.0.0.1:8222"
_PATIENCE: Final = 3.0  # seconds for a server to answer; a status does not wait for one that is starting
_CREDENTIALS: Final = {
    "user": "NATS_USER",
    "password": "NATS_PASSWORD",
    "token": "NATS_TOKEN",
    "credentials": "NATS_CREDS",
}


@dataclass(frozen=True)
class Target:
    """The server to ask; ``monitor_url`` is empty where its monitoring is not to be asked."""

    url: str
    monitor_url: str
    credentials: Credentials = field(default_factory=Credentials)


def run(file: Path, url: str | None, monitor_url: str | None, environment: Environment, *, as_json: bool) -> int:
    """Print a status; its exit code: 0 healthy, 1 drift or warning, 2 critical, 3 unknown.

    Args:
        file: the catalogue.
        url: the server's client URL, else NATS_URL, else this machine's.
        monitor_url: its monitoring URL, else NATS_MONITOR_URL, else this machine's; empty for none.
        environment: where these variables and the credentials are.
        as_json: print the form that ``report`` describes.
    """
    report = _report(file, url, monitor_url, environment)
    if as_json:
        print(json.dumps(plain(report), indent=2))
    else:
        show(report, console(), datetime.now(UTC))
    return int(report.severity)


def target(url: str | None, monitor_url: str | None, environment: Environment) -> Target:
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


def _report(file: Path, url: str | None, monitor_url: str | None, environment: Environment) -> Report:
    try:
        return _asked(catalogue.load(file), target(url, monitor_url, environment))
    except ProvisionerError as error:
        return Report(server=tuple(Result("input", Severity.UNKNOWN, line) for line in str(error).splitlines()))


def _asked(specs: tuple[StreamSpec, ...], server: Target) -> Report:
    with ThreadPoolExecutor(1) as monitoring:
        answering = monitoring.submit(_monitoring, server.monitor_url)
        account, streams = _jetstream(server)
        answers = answering.result()
    return Report(
        url=server.url,
        monitor_url=server.monitor_url or None,
        answers=answers,
        server=(*monitoring_results(server.monitor_url, answers), api_result(account)),
        streams=examine(specs, streams),
        unmanaged=unmanaged(streams or (), specs),
    )


def _monitoring(url: str) -> dict[str, Answer]:
    return fetch(url, ENDPOINTS) if url else {}


def _jetstream(server: Target) -> tuple[dict[str, Any] | ProvisionerError, dict[str, Live] | None]:
    try:
        client = JetStream(server.url, server.credentials, _PATIENCE)
    except ProvisionerError as error:
        return error, None
    try:
        return client.account(), client.streams()
    except ProvisionerError as error:
        return error, None
    finally:
        client.close()


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
