"""Collects everything a report is made of: asks the server, and has its answers checked."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from provisioner.backup.carry_folder import waiting_copies
from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.errors import ProvisionerError
from provisioner.jetstream.address import api, servers
from provisioner.jetstream.certificates import shown as certificates_shown
from provisioner.jetstream.monitoring import Answer, fetch_each, is_answered
from provisioner.jetstream.target import Target, target
from provisioner.rules.stream_names import unmanaged
from provisioner.status.certificates import certificate_results
from provisioner.status.consumers import examine_consumers
from provisioner.status.listing import Listing, ask
from provisioner.status.nodes import cluster_of, cluster_results
from provisioner.status.report import Report
from provisioner.status.server_checks import ENDPOINTS, Result, Severity, api_result, monitoring_results
from provisioner.status.stream_checks import examine, partial_results


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
    names = [spec.name for spec in catalogue.streams]
    with ThreadPoolExecutor(1) as executor:
        monitoring = executor.submit(_monitoring, server)
        listing = ask(server, names, {spec.stream: None for spec in catalogue.consumers})
        answers = monitoring.result()
    certificates = certificates_shown(_with_tls(server, listing), server.credentials)
    streams, cluster, shown = listing.streams or {}, cluster_of(answers), _shown(answers)
    there = {**dict.fromkeys(streams), **dict.fromkeys(listing.silent)}
    return Report(
        url=servers(server.url),
        monitor_url=server.monitor_url or None,
        answers=shown,
        cluster=cluster,
        certificates=tuple(certificates),
        server=(
            *(cluster_results(cluster, listing.account) if cluster else monitoring_results(server.monitor_url, shown)),
            api_result(listing.account, api(server.url)),
            *certificate_results(certificates, datetime.now(UTC)),
            *partial_results(streams, names),
        ),
        streams=examine(catalogue.streams, listing, {name: waiting_copies(name) for name in names}),
        consumers=examine_consumers(catalogue.consumers, listing, catalogue.streams),
        unmanaged=unmanaged(there, names),
        listed=unmanaged(there, names, catalogue.ignore),
    )


def _monitoring(server: Target) -> dict[str, dict[str, Answer]]:
    return fetch_each(server.monitor_url.split(","), ENDPOINTS, server.credentials) if server.monitor_url else {}


def _with_tls(server: Target, listing: Listing) -> list[str]:
    """The URLs that have a certificate; of a server that begins in clear, its greeting tells."""
    schemes = ("tls:", "wss:", "https:", *(("nats:",) if listing.may_speak_tls else ()))
    urls = [*servers(server.url).split(","), *server.monitor_url.split(",")]
    return [url for url in urls if url.startswith(schemes)]


def _shown(answers: Mapping[str, Mapping[str, Answer]]) -> Mapping[str, Answer]:
    """Those of the first server that answers, else of the last."""
    return next(filter(is_answered, answers.values()), [{}, *answers.values()][-1])
