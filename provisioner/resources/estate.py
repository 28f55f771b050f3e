"""The resources whose check is the gate of a run: of a stack with one server, and of a program's ``Server``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from provisioner.docker_engine.holdings import DockerPlace
from provisioner.providers import consumer_properties, properties
from provisioner.providers.endpoint import Endpoint, StreamOptions
from provisioner.providers.estate import EstateProvider
from provisioner.reconcile.docker_stack import RUNNING
from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.model import StreamSpec


class Estate(Resource, module="jetstream", name="Estate"):
    """A stack's streams and the server they are on.

    Args:
        resource_name: the name in Pulumi's state.
        specs: every stream of the program.
        endpoint: the server they are on, its ``store`` known.
        options: what holds for every stream of the run.
        owns_server: whether the server is the stack's own.
        process: what it runs with; another text restarts it.
        removed_with_server: whether its data goes with it.
        docker: where the server is on a Docker engine, if it is on one.
        mark: what marks the stack's own things there, where the state does not say so already.
        grown_from: the store that a cluster takes over, if the stack had it before.
        nodes: how many servers of the stack's own there are.
        consumers: every consumer of the program.
        ca: the CA of its certificate in PEM, where that is somebody else's.
        encryption: the cipher of its data, if it is encrypted.
        key_problem: why the data that is there cannot be read, where the state does not have its key.
        is_open: whether the stack's own server lets in everybody.
        watching: the port of each container beside the servers that watches them, by its name.

    Attributes:
        owners: Whose marks are the stack's own; the first is for what it makes.
    """

    owners: pulumi.Output[list[str]]

    def __init__(  # noqa: PLR0913 - each is a property of the resource
        self,
        resource_name: str,
        specs: Sequence[StreamSpec],
        endpoint: Endpoint,
        options: StreamOptions,
        *,
        owns_server: bool,
        process: str,
        removed_with_server: bool,
        docker: DockerPlace | None = None,
        mark: str | None = None,
        grown_from: str | None = None,
        nodes: int = 1,
        consumers: Sequence[ConsumerSpec] = (),
        ca: str | None = None,
        encryption: str | None = None,
        key_problem: str | None = None,
        is_open: bool = False,
        watching: Mapping[str, int] | None = None,
    ) -> None:
        streams = [properties.inputs(spec, options.on_delete) | {"owner": options.owner} for spec in specs]
        props = {
            "owns_server": owns_server,
            "url": endpoint.url,
            "monitor_url": endpoint.monitor_url,
            "store": endpoint.store,
            "process": process,
            "removed_with_server": removed_with_server,
            "policies": {spec.name: (spec.on_delete or options.on_delete).value for spec in specs},
            "streams": streams,
            "consumers": [consumer_properties.inputs(each, options.on_delete) for each in consumers] or None,
            "owner": options.owner,
            "docker": asdict(docker) if docker else None,
            "owners": [mark] if mark else None,
            "container": RUNNING if docker else None,
            "backup_to": options.backup_to,
            "grown_from": grown_from,
            "nodes": nodes if nodes > 1 else None,
            "ca": ca,
            "encryption": encryption,
            "key_problem": key_problem,
            "open": is_open,
            "watching": watching or None,
        }
        super().__init__(EstateProvider(), resource_name, props, pulumi.ResourceOptions())


class ServerEstate(Resource, module="jetstream", name="Estate"):
    """What a program has on a ``Server``.

    Args:
        resource_name: the server's name.
        server: how the server is met: what every resource on it has.
        program: what the program declares on it.
    """

    def __init__(self, resource_name: str, server: Mapping[str, Any], program: Mapping[str, Any]) -> None:
        somebody_elses = {"owns_server": False, "store": server["url"], "process": "", "removed_with_server": False}
        props = {"monitor_url": None, **somebody_elses, **server, **program}
        super().__init__(EstateProvider(), resource_name, props, pulumi.ResourceOptions())
