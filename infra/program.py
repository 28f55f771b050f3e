"""The Pulumi program: settings -> server -> streams -> outputs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import Final, NoReturn

import pulumi

from infra import access, certificates, inputs, monitoring
from infra.outputs import by_kind, summary
from infra.registering import registered, without_debug_lines
from infra.servers import Place, Server, place_in_account, server_in_account
from infra.setting_types import EXTERNAL
from infra.settings import Settings
from infra.sizing import fitted
from infra.stack_config import configuration, secret_keys
from provisioner import log
from provisioner.catalogue.model import Catalogue
from provisioner.errors import ProvisionerError
from provisioner.jetstream.address import servers
from provisioner.resources.catalogue import declared
from provisioner.resources.own_server import (
    EncryptionKey,
    Endpoint,
    Estate,
    StackServer,
    Store,
    StreamOptions,
    announce_program,
    data_of,
)
from provisioner.schema.model import OnDelete, StreamSpec
from provisioner.services.model import Services

# Pulumi's own code for a program that has logged its errors: it adds none of its own.
_ALREADY_LOGGED: Final = 32


def deploy() -> None:
    """Declare the stack; problems in its settings or catalogue end the run with one line each."""
    signal.signal(signal.SIGINT, _end_quietly)
    if not os.environ.get(log.VARIABLE):
        without_debug_lines()
    announce_program()
    try:
        settings, catalogue = inputs.read(configuration(), pulumi.get_stack(), secret_keys())
        services = access.services_of(settings, catalogue)
        files = certificates.in_files(settings)
        endpoint = _declare(
            fitted(settings, catalogue.streams, access.promised(services)), settings, catalogue, services, files
        )
    except ProvisionerError as error:
        _stop(error)
    for note in (*catalogue.notes, *(files.notes if files else ())):
        pulumi.log.warn(note)
    pulumi.export("url", servers(endpoint.url))
    pulumi.export("monitor_url", endpoint.monitor_url)
    for key, specs in by_kind(catalogue.streams).items():
        pulumi.export(key, summary(specs, settings))


def _declare(
    fitting: Settings,
    settings: Settings,
    catalogue: Catalogue,
    services: Services | None,
    files: certificates.InFiles | None,
) -> Endpoint:
    """Estate, server, store, streams: each depends on the one before, so that the estate can refuse for all.

    Only the chosen server's module is imported: pulumi_docker alone takes longer than the rest.
    """
    kind, specs = import_module(f"infra.servers.{settings.server}"), catalogue.streams
    account = access.account_of(services)
    place: Place = place_in_account(kind.place(fitting), account)
    options = _options(settings)
    estate = Estate(
        "estate",
        specs,
        Endpoint(url=place.url, monitor_url=place.monitor_url, store=place.store),
        options,
        owns_server=settings.server != EXTERNAL,
        process=place.process,
        removed_with_server=_is_removed(fitting),
        docker=place.docker,
        mark=place.owner,
        grown_from=place.grown_from,
        nodes=fitting.nodes,
        consumers=catalogue.consumers,
        ca=files.ca if files else None,
        encryption=fitting.encryption,
        key_problem=place.key_problem,
        is_open=settings.server != EXTERNAL and services is None,
        watching=monitoring.ports(settings, place),
    )
    users = None
    if services:
        allowed = access.declare(services, catalogue, estate)
        users = allowed.users
        pulumi.export("credentials", allowed.credentials)
    shown = certificates.shown(fitting, files, estate)
    if shown:
        pulumi.export("ca", shown.ca)
    tls = {"certificates": shown} if shown else {}
    key = _encryption_key(fitting, place, estate)
    server: Server = server_in_account(kind.launch(fitting, estate, users, key, **tls), account)
    before: list[pulumi.Resource] = [estate]
    if settings.server != EXTERNAL:
        before = [_store(place, server, fitting, specs, estate)]
    after = pulumi.ResourceOptions(depends_on=before)
    streams = declared(catalogue, StackServer(server.endpoint, options), after)
    watched = monitoring.Watched(
        settings=settings, catalogue=catalogue, place=place, estate=estate, ca=_ca(settings, shown)
    )
    pulumi.run(partial(registered, _one_after_the_other(streams, watched)))
    return server.endpoint


def _ca(settings: Settings, shown: certificates.Certificates | None) -> pulumi.Input[str] | None:
    """The CA that the server's certificate is of, in PEM, where it is not one that everybody trusts."""
    if shown:
        return shown.ca
    return settings.ca.read_text() if settings.ca else None


def _one_after_the_other(streams: Iterable[pulumi.Resource], watched: monitoring.Watched) -> Iterator[pulumi.Resource]:
    """The streams, then what watches them: where it fails, nothing else is left undone."""
    made = []
    for stream in streams:
        made.append(stream)
        yield stream
    yield from watched.declare(made)


def _encryption_key(settings: Settings, place: Place, estate: Estate) -> pulumi.Output[str] | None:
    if settings.encryption is None:
        return None
    given, opts = settings.encryption_key, pulumi.ResourceOptions(depends_on=[estate])
    made = EncryptionKey("encryption", given, data_of(place.store), opts)
    # Of two refusals of another key, the resource's own comes first: nothing sees the key before it has agreed.
    return pulumi.Output.secret(made.urn.apply(lambda _: given)) if given else made.key


def _store(place: Place, server: Server, settings: Settings, specs: Sequence[StreamSpec], estate: Estate) -> Store:
    return Store(
        "store",
        Endpoint(url=place.url, monitor_url=place.monitor_url, ready=server.endpoint.ready, store=place.store),
        holds=server.endpoint.store,
        data=str(place.data) if place.data else None,
        docker=place.docker,
        owners=estate.owners if place.docker else None,
        removed_with_server=_is_removed(settings),
        deletable=[spec.name for spec in specs],
        backup_to=settings.backup_to,
        opts=pulumi.ResourceOptions(depends_on=list(server.resources)),
    )


def _is_removed(settings: Settings) -> bool:
    """Whether the data goes with the server."""
    return settings.server != EXTERNAL and settings.on_delete is OnDelete.DELETE


def _options(settings: Settings) -> StreamOptions:
    return StreamOptions(
        on_delete=settings.on_delete,
        owner=f"{pulumi.get_project()}/{settings.stack}",
        backup_to=settings.backup_to,
    )


def _end_quietly(_signal: int, _frame: object) -> NoReturn:
    """The engine interrupts a program that still runs when the engine has refused something, which it has said.

    At once: Python would find fault, at length, with what was under way in Pulumi's event loop.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_ALREADY_LOGGED)


def _stop(error: ProvisionerError) -> NoReturn:
    """A traceback would bury the lines that say what to do."""
    for line in str(error).splitlines():
        pulumi.log.error(line)
    sys.exit(_ALREADY_LOGGED)
