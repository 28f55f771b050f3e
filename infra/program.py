"""The Pulumi program: settings -> server -> streams -> outputs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final, NoReturn, TypeAlias

import pulumi

from infra import inputs
from infra.servers import Server
from infra.settings import Settings, configuration
from infra.sizing import fitted
from provisioner.errors import ProvisionerError
from provisioner.providers.stream import Stream, StreamOptions
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamSpec
from provisioner.schema.types import show_fields

# Pulumi's own code for a program that has logged its errors: it adds none of its own.
_ALREADY_LOGGED: Final = 32

Launch: TypeAlias = Callable[[Settings], Server]


def deploy() -> None:
    """Declare the stack; problems in its settings or catalogue end the run with one line each."""
    try:
        settings, catalogue = inputs.read(configuration(), pulumi.get_stack())
        server = _launch(fitted(settings, catalogue.streams))
    except ProvisionerError as error:
        _stop(error)
    options = _options(settings)
    opts = pulumi.ResourceOptions(depends_on=list(server.resources))
    for note in catalogue.notes:
        pulumi.log.warn(note)
    for spec in catalogue.streams:
        Stream(spec.name, spec, server.endpoint, options, opts)
    pulumi.export("url", server.endpoint.url)
    pulumi.export("monitor_url", server.endpoint.monitor_url)
    pulumi.export("streams", _summary(catalogue.streams))


def _launch(settings: Settings) -> Server:
    """Only the chosen server's module is imported: pulumi_docker alone takes longer than the rest."""
    launch: Launch = import_module(f"infra.servers.{settings.server}").launch
    return launch(settings)


def _options(settings: Settings) -> StreamOptions:
    return StreamOptions(
        on_delete=settings.on_delete,
        catalogue=str(settings.catalogue),
        owner=f"{pulumi.get_project()}/{settings.stack}",
        backup_to=settings.backup_to,
    )


def _summary(specs: Iterable[StreamSpec]) -> dict[str, Any]:
    """Each stream's subjects and limits."""
    limits = tuple(field for field in FIELDS if field.name == "subjects" or field.name.startswith("max_"))
    return {spec.name: show_fields(spec.config, limits) for spec in specs}


def _stop(error: ProvisionerError) -> NoReturn:
    """A traceback would bury the lines that say what to do."""
    for line in str(error).splitlines():
        pulumi.log.error(line)
    sys.exit(_ALREADY_LOGGED)
