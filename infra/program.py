"""The Pulumi program: settings -> server -> streams -> outputs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final, NoReturn, TypeAlias

import pulumi

from infra.servers import Endpoint
from infra.settings import Settings, load
from infra.sizing import fitted, policy
from provisioner.catalogue.reader import load as load_catalogue
from provisioner.errors import ProvisionerError
from provisioner.providers.stream import Stream
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamSpec
from provisioner.schema.types import show_fields

# Pulumi's own code for a program that has logged its errors: it adds none of its own.
_ALREADY_SAID: Final = 32

Launch: TypeAlias = Callable[[Settings], Endpoint]


def deploy() -> None:
    """Declare the stack; mistakes in its settings or catalogue end the run with one line each."""
    try:
        settings = load()
        catalogue = load_catalogue(settings.catalogue)
        endpoint = _launch(fitted(settings, catalogue.streams))
    except ProvisionerError as error:
        _stop(error)
    for note in catalogue.notes:
        pulumi.log.warn(note)
    for spec in catalogue.streams:
        _declare(spec, endpoint, settings)
    pulumi.export("url", endpoint.url)
    pulumi.export("monitor_url", endpoint.monitor_url)
    pulumi.export("streams", _summary(catalogue.streams))


def _launch(settings: Settings) -> Endpoint:
    """Only the chosen server's module is imported: pulumi_docker alone takes longer than the rest."""
    launch: Launch = import_module(f"infra.servers.{settings.server}").launch
    return launch(settings)


def _declare(spec: StreamSpec, endpoint: Endpoint, settings: Settings) -> None:
    Stream(
        spec.name,
        spec,
        endpoint.url,
        monitor_url=endpoint.monitor_url,
        ready=endpoint.ready,
        store=endpoint.store,
        catalogue=str(settings.catalogue),
        owner=f"{pulumi.get_project()}/{settings.stack}",
        on_delete=policy(spec, settings),
        backup_to=settings.backup_to,
        opts=pulumi.ResourceOptions(depends_on=list(endpoint.resources)),
    )


def _summary(specs: Iterable[StreamSpec]) -> dict[str, Any]:
    """Each stream's subjects and limits."""
    limits = tuple(field for field in FIELDS if field.name == "subjects" or field.name.startswith("max_"))
    return {spec.name: show_fields(spec.config, limits) for spec in specs}


def _stop(error: ProvisionerError) -> NoReturn:
    """A traceback would bury the lines that say what to do."""
    for line in str(error).splitlines():
        pulumi.log.error(line)
    sys.exit(_ALREADY_SAID)
