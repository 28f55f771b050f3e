"""Collects everything a report is made of: asks the server, and has its answers checked."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from provisioner.backup.carry_folder import waiting_copies
from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.errors import ProvisionerError
from provisioner.jetstream.address import api, servers
from provisioner.jetstream.certificates import shown as certificates_shown
from provisioner.jetstream.monitoring import Answer, fetch_each, is_answered
from provisioner.jetstream.target import Target, target
from provisioner.rules.stream_names import unmanaged
from provisioner.schema.stores import own_name
from provisioner.status.certificates import certificate_results
from provisioner.status.consumers import examine_consumers
from provisioner.status.detail import Detail, detail_of
from provisioner.status.listing import Listing, ask
from provisioner.status.nodes import cluster_of, cluster_results
from provisioner.status.report import Report
from provisioner.status.server_checks import ENDPOINTS, Result, Severity, api_result, monitoring_results
from provisioner.status.stream_checks import examine, partial_results, unmanaged_results
from provisioner.status.thresholds import Thresholds
from provisioner.text import did_you_mean


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is wanted of a report.

    Attributes:
        replicas: ``num_replicas`` of a stream where the catalogue says none.
        thresholds: where the catalogue says no others.
        stream: the only one to look at, in depth; by its name or the bucket's.
        warns_of_unmanaged: whether a stream that the catalogue neither names nor ignores is a warning.
    """

    replicas: int | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    stream: str | None = None
    warns_of_unmanaged: bool = False


_NO_WISHES: Final = Wishes()


def collect(
    file: Path,
    url: str | None,
    monitor_url: str | None,
    environment: Mapping[str, str],
    wishes: Wishes = _NO_WISHES,
) -> Report:
    """The report on a catalogue's streams and their server.

    A catalogue or a URL that cannot be used is part of the report, too.

    Args:
        file: the catalogue.
        url: the server's client URL, else NATS_URL, else this machine's.
        monitor_url: its monitoring URL, else NATS_MONITOR_URL, else this machine's; empty for none.
        environment: where these variables and the credentials are.
        wishes: what else is wanted of it.
    """
    try:
        catalogue = _narrowed(load(file, wishes.replicas), wishes.stream)
        return _report(catalogue, target(url, monitor_url, environment), wishes)
    except ProvisionerError as error:
        return Report(server=tuple(Result("input", Severity.UNKNOWN, line) for line in str(error).splitlines()))


def _narrowed(catalogue: Catalogue, stream: str | None) -> Catalogue:
    """The same with one stream only, by its name or the bucket's."""
    if stream is None:
        return catalogue
    known = {name: spec for spec in reversed(catalogue.streams) for name in (own_name(spec.name), spec.name)}
    if stream not in known:
        raise ProvisionerError(f"{stream}: is not in the catalogue{did_you_mean(stream, known)}")
    spec = known[stream]
    consumers = tuple(each for each in catalogue.consumers if each.stream == spec.name)
    return replace(catalogue, streams=(spec,), consumers=consumers)


def _report(catalogue: Catalogue, server: Target, wishes: Wishes) -> Report:
    names = [spec.name for spec in catalogue.streams]
    in_depth = names[0] if wishes.stream else None
    consumed = names if in_depth else [spec.stream for spec in catalogue.consumers]
    with ThreadPoolExecutor(1) as executor:
        monitoring = executor.submit(_monitoring, server)
        listing = ask(server, names, dict.fromkeys(consumed), in_depth)
        answers = monitoring.result()
    copies = {name: waiting_copies(name) for name in names}
    certificates = certificates_shown(_with_tls(server, listing), server.credentials)
    streams, cluster, shown = listing.streams or {}, cluster_of(answers), _shown(answers)
    there = {**dict.fromkeys(streams), **dict.fromkeys(listing.silent)} if not in_depth else {}
    listed = unmanaged(there, names, catalogue.ignore)
    now = datetime.now(UTC)
    return Report(
        url=servers(server.url),
        monitor_url=server.monitor_url or None,
        answers=shown,
        cluster=cluster,
        certificates=tuple(certificates),
        server=(
            *(cluster_results(cluster, listing.account) if cluster else monitoring_results(server.monitor_url, shown)),
            api_result(listing.account, api(server.url)),
            *certificate_results(certificates, now),
            *(() if in_depth else partial_results(streams, names)),
            *(unmanaged_results(listed) if wishes.warns_of_unmanaged else ()),
        ),
        streams=examine(catalogue.streams, listing, copies, wishes.thresholds.stream, now),
        consumers=examine_consumers(catalogue.consumers, listing, catalogue.streams, wishes.thresholds.consumer),
        unmanaged=unmanaged(there, names),
        listed=() if wishes.warns_of_unmanaged else listed,
        detail=_detail(catalogue, listing) if in_depth else None,
    )


def _detail(catalogue: Catalogue, listing: Listing) -> Detail | None:
    if not listing.body:
        return None
    consumers = listing.consumers.get(catalogue.streams[0].name, {})
    return detail_of(listing.body, consumers, [spec.name for spec in catalogue.consumers])


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
