"""Collects everything a report is made of: asks the server, and has its answers checked."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from provisioner.backup.carry_folder import waiting_copies
from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.errors import InvalidAnswer, ProvisionerError
from provisioner.jetstream.address import api, servers
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.monitoring import Answer, fetch
from provisioner.jetstream.target import Target, target
from provisioner.rules.stream_names import unmanaged
from provisioner.schema.model import StreamInfo
from provisioner.status.report import Report
from provisioner.status.server_checks import ENDPOINTS, Result, Severity, api_result, monitoring_results
from provisioner.status.stream_checks import examine, partial_results

_CONNECT_TIMEOUT_S: Final = 3.0  # a status does not wait for a server that is starting


def collect(
    file: Path,
    url: str | None,
    monitor_url: str | None,
    environment: Mapping[str, str],
    replicas: int | None = None,
) -> Report:
    """The report on a catalogue's streams and their server.

    A catalogue or a URL that cannot be used is part of the report, too.

    Args:
        file: the catalogue.
        url: the server's client URL, else NATS_URL, else this machine's.
        monitor_url: its monitoring URL, else NATS_MONITOR_URL, else this machine's; empty for none.
        environment: where these variables and the credentials are.
        replicas: ``num_replicas`` of a stream where the catalogue says none.
    """
    try:
        return _report(load(file, replicas), target(url, monitor_url, environment))
    except ProvisionerError as error:
        return Report(server=tuple(Result("input", Severity.UNKNOWN, line) for line in str(error).splitlines()))


def _report(catalogue: Catalogue, server: Target) -> Report:
    with ThreadPoolExecutor(1) as executor:
        monitoring = executor.submit(_monitoring, server.monitor_url)
        account, streams = _jetstream(server)
        answers = monitoring.result()
    names = [spec.name for spec in catalogue.streams]
    return Report(
        url=servers(server.url),
        monitor_url=server.monitor_url or None,
        answers=answers,
        server=(
            *monitoring_results(server.monitor_url, answers),
            api_result(account, api(server.url)),
            *partial_results(streams or {}, names),
        ),
        streams=examine(catalogue.streams, streams, {name: waiting_copies(name) for name in names}),
        unmanaged=unmanaged(streams or (), names),
        listed=unmanaged(streams or (), names, catalogue.ignore),
    )


def _monitoring(url: str) -> dict[str, Answer]:
    return fetch(url, ENDPOINTS) if url else {}


def _jetstream(server: Target) -> tuple[dict[str, Any] | ProvisionerError, dict[str, StreamInfo] | None]:
    """The account and its streams, or why they are unknown."""
    try:
        client = JetStream(server.url, server.credentials, _CONNECT_TIMEOUT_S)
    except ProvisionerError as error:
        return error, None
    try:
        return client.account(), client.streams()
    except ProvisionerError as error:
        return error, None
    except (LookupError, TypeError, ValueError, AttributeError):
        return InvalidAnswer("the streams cannot be read from the answer; something other than JetStream answers"), None
    finally:
        client.close()
