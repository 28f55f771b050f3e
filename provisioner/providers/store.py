"""``Store``: the data behind a server of the stack's own, between the server and the streams.

Streams depend on it and it depends on the server, so a destroy comes to it when the stack's streams
are gone and the server still runs: the moment at which others' streams in it can be seen and saved.
``StoreProvider`` is pickled by reference into the state: it keeps its name and place.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.dynamic import (
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)
from pulumi.output import Unknown

from provisioner.docker_engine.holdings import DockerPlace
from provisioner.providers import properties
from provisioner.providers.endpoint import Endpoint
from provisioner.providers.errors import one_line
from provisioner.providers.estate import docker_place
from provisioner.providers.provider import Provider
from provisioner.reconcile.context import context
from provisioner.reconcile.docker_stack import require_own_volumes
from provisioner.reconcile.estate import is_removed
from provisioner.reconcile.notices import notice_once
from provisioner.reconcile.store import require_nothing_in_memory, require_removable, stays

_INPUTS: Final = (
    "url",
    "monitor_url",
    "store",
    "data",
    "docker",
    "owners",
    "removed_with_server",
    "deletable",
    "backup_to",
)


class StoreProvider(Provider):
    """Refuses its own deletion while the data holds messages that are not the stack's to delete."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Tell the run where the data's server is now, and that it is up.

        Streams that are deleted later have the place it had, and a plan need not believe any longer that it is down.
        """
        where = context(news["url"], news.get("monitor_url"), self.credentials)
        holds, ready = news.get("holds"), news.get("ready")
        if holds and not isinstance(holds, Unknown):
            where.server.owned = True
            where.run.on_server(holds, news["url"], news.get("monitor_url"))
        if ready and not isinstance(ready, Unknown):
            where.server.on_started(ready)
        return CheckResult({key: value for key, value in news.items() if key in _INPUTS}, [])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another kind of store is another resource: the old one is deleted, and asked, after all streams have moved.

        A process that moves to another folder leaves the old one as it is.
        """
        replaces = ["store"] if is_removed(_olds["store"], _news["store"]) else []
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in _INPUTS), replaces=replaces)

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Note it."""
        return CreateResult(props["store"], props)

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it was noted; the run is told whose data it is."""
        run = context(props["url"], props.get("monitor_url"), self.credentials).run
        run.on_store_read(properties.data_of(props), removed_with_server=props["removed_with_server"])
        return ReadResult(id_, props, {key: value for key, value in props.items() if key in _INPUTS})

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Note it."""
        return UpdateResult(_news)

    @one_line
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Let the server and its data go, if nothing in it is somebody else's."""
        where = context(_props["url"], _props.get("monitor_url"), self.credentials)
        where.server.owned = True
        where.run.on_backup_to(_props.get("backup_to"), wanted=False)
        if not _props["removed_with_server"]:
            require_nothing_in_memory(where, _props["store"])
            notice_once(stays(_props["store"]))
            return
        if place := docker_place(_props):
            require_own_volumes(place, _props["owners"])
        data = Path(_props["data"]) if _props.get("data") else None
        require_removable(where, _props["store"], data, _props["deletable"])


class Store(Resource, module="jetstream", name="Store"):
    """The data behind a server.

    Args:
        resource_name: the name in Pulumi's state.
        endpoint: the server, its ``store`` known.
        holds: what the streams on it call the data.
        data: the data's folder, where it is one of this machine.
        docker: where it is on a Docker engine, if it is on one.
        owners: whose marks are the stack's own there.
        removed_with_server: whether the data goes with the server.
        deletable: the streams that the stack may delete.
        backup_to: folder that a stream is written to before it goes.
        opts: Pulumi's options; it has to depend on the server.
    """

    def __init__(  # noqa: PLR0913 - each is a property of the resource
        self,
        resource_name: str,
        endpoint: Endpoint,
        *,
        holds: pulumi.Input[str] | None,
        data: str | None,
        docker: DockerPlace | None = None,
        owners: pulumi.Output[list[str]] | None = None,
        removed_with_server: bool,
        deletable: Collection[str],
        backup_to: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        props = {
            "url": endpoint.url,
            "monitor_url": endpoint.monitor_url,
            "store": endpoint.store,
            "holds": holds,
            "ready": endpoint.ready,
            "data": data,
            "docker": asdict(docker) if docker else None,
            "owners": owners,
            "removed_with_server": removed_with_server,
            "deletable": list(deletable),
            "backup_to": backup_to,
        }
        super().__init__(StoreProvider(), resource_name, props, opts)
