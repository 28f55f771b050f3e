"""What the stack's own server shows to clients: a certificate in files, or one of an authority that the stack makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pulumi

from infra.servers.nats_conf import ROUTES_ON
from infra.setting_types import DOCKER
from infra.settings import Settings, SettingsError
from infra.tls_settings import AUTHORITY, FILES
from provisioner.docker_engine.holdings import node_name
from provisioner.local_server.ports import met_at
from provisioner.local_server.server_dir import CA_FILE, PAIR_FILE
from provisioner.resources.own_server import Tls

if TYPE_CHECKING:
    from provisioner.resources.own_server import Estate

# Where clients of this machine may connect, whatever address the server listens on.
_THIS_MACHINE: Final = ("127.0.0.1", "::1", "localhost")
_WARNED_BEFORE: Final = timedelta(days=30)


@dataclass(frozen=True)
class InFiles:
    """A certificate in files that can be used.

    Attributes:
        ca: the CA's certificates, in PEM.
        fingerprint: the SHA-256 of the server's.
        notes: what is to be known of it, if it is to be renewed.
    """

    ca: str
    fingerprint: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Certificates:
    """What the servers show, and whom to trust of them.

    Attributes:
        ca: the CA's certificates, in PEM.
        shown: what they show.
    """

    ca: pulumi.Input[str]
    shown: Tls


def in_files(settings: Settings) -> InFiles | None:
    """The certificate that the settings name; None where they name none.

    Raises:
        SettingsError: no client could use a server with it.
    """
    if settings.tls != FILES or not (settings.ca and settings.cert and settings.key):
        return None
    from provisioner.certificates.rehearsal import CertificateProblem, Files, certificates, rehearse  # noqa: PLC0415

    try:
        shown = rehearse(
            Files(settings.ca, settings.cert, settings.key), met_at(settings.bind_address), _on_routes(settings)
        )
    except CertificateProblem as problem:
        raise SettingsError(f"settings of stack {settings.stack}: {problem}") from None
    ends_soon = shown.ends - datetime.now(UTC) < _WARNED_BEFORE
    notes = (f"cert: {settings.cert}: ends on {shown.ends:%Y-%m-%d}; renew it, and up shows it",) if ends_soon else ()
    return InFiles(certificates(settings.ca.read_bytes()), shown.fingerprint, notes)


def shown(settings: Settings, files: InFiles | None, before: Estate) -> Certificates | None:
    """What the servers show: that in files, or of an authority, which is declared here; None without TLS.

    Args:
        settings: the stack's.
        files: what ``in_files`` found.
        before: what the authority depends on.
    """
    if files:
        # Containers have no other way to the files than processes have to those of an authority.
        handed = pulumi.Output.secret(_read(settings, files)) if settings.server == DOCKER else None
        return Certificates(files.ca, Tls(files.fingerprint, handed))
    if settings.tls != AUTHORITY:
        return None
    from provisioner.resources.own_server import Authority  # noqa: PLC0415 - most stacks have none

    authority = Authority(
        "authority",
        owner=f"{pulumi.get_project()}/{settings.stack}",
        names=sorted({met_at(settings.bind_address), *_THIS_MACHINE, *_on_routes(settings)}),
        authority=settings.authority,
        certificate=settings.certificate,
        opts=pulumi.ResourceOptions(depends_on=[before]),
    )
    made = pulumi.Output.all(authority.chain, authority.key, authority.ca).apply(_files)
    return Certificates(authority.ca, Tls(authority.fingerprint, pulumi.Output.secret(made)))


def _on_routes(settings: Settings) -> tuple[str, ...]:
    """Where the nodes of a cluster meet each other: under the names that they have in the containers' network."""
    if settings.nodes == 1:
        return ()
    if settings.server == DOCKER:
        return tuple(node_name("nats", index) for index in range(settings.nodes))
    return (ROUTES_ON,)


def _read(settings: Settings, files: InFiles) -> Mapping[str, str]:
    pair = "\n".join(path.read_text() for path in (settings.cert, settings.key) if path)
    return {PAIR_FILE: pair, CA_FILE: files.ca}


def _files(made: list[str]) -> Mapping[str, str]:
    chain, key, ca = made
    return {PAIR_FILE: f"{chain}{key}", CA_FILE: ca}
