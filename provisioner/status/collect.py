"""``python -m provisioner status``: the streams, wanted against live, and the server's health.

Asks, has the answers judged (``health``, ``stream_health``) and shown (``render``, ``report``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.monitoring import Answer, fetch
from provisioner.jetstream.target import Target, target
from provisioner.rules.stream_names import unmanaged
from provisioner.schema.model import StreamInfo
from provisioner.status.render import console, show
from provisioner.status.report import Report, plain
from provisioner.status.server_checks import ENDPOINTS, Result, Severity, api_result, monitoring_results
from provisioner.status.stream_checks import examine

Environment = Mapping[str, str]

_TIMEOUT: Final = 3.0  # seconds for a server to answer; a status does not wait for one that is starting


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


def _report(file: Path, url: str | None, monitor_url: str | None, environment: Environment) -> Report:
    try:
        return _asked(load(file), target(url, monitor_url, environment))
    except ProvisionerError as error:
        return Report(server=tuple(Result("input", Severity.UNKNOWN, line) for line in str(error).splitlines()))


def _asked(catalogue: Catalogue, server: Target) -> Report:
    with ThreadPoolExecutor(1) as monitoring:
        answering = monitoring.submit(_monitoring, server.monitor_url)
        account, streams = _jetstream(server)
        answers = answering.result()
    return Report(
        url=server.url,
        monitor_url=server.monitor_url or None,
        answers=answers,
        server=(*monitoring_results(server.monitor_url, answers), api_result(account)),
        streams=examine(catalogue.streams, streams),
        unmanaged=unmanaged(streams or (), (spec.name for spec in catalogue.streams), catalogue.ignore),
    )


def _monitoring(url: str) -> dict[str, Answer]:
    return fetch(url, ENDPOINTS) if url else {}


def _jetstream(server: Target) -> tuple[dict[str, Any] | ProvisionerError, dict[str, StreamInfo] | None]:
    try:
        client = JetStream(server.url, server.credentials, _TIMEOUT)
    except ProvisionerError as error:
        return error, None
    try:
        return client.account(), client.streams()
    except ProvisionerError as error:
        return error, None
    finally:
        client.close()
