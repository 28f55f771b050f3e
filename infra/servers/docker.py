"""A NATS container on a Docker engine, its network, its published ports and the volume with the messages.

The image needs what the official alpine image has: `nats-server` on its path, and busybox.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pulumi
import pulumi_docker as docker

from infra.servers import Place, Server, container, local_url
from infra.servers.checkout import mark
from infra.servers.container import HEALTH, MONITOR_PORT
from infra.servers.docker_engine import docker_setting, require_docker
from infra.servers.nats_conf import server_config
from infra.servers.orphans import Orphans
from provisioner.docker_engine.hardening import DATA_DIR
from provisioner.docker_engine.holdings import FOLDER_LABEL, OWNER_LABEL, DockerPlace
from provisioner.providers.estate import Estate
from provisioner.providers.stream import Endpoint
from provisioner.schema.model import OnDelete

if TYPE_CHECKING:
    from infra.settings import Settings

CLIENT_PORT: Final = 4222
LOG_LIMITS: Final = {"max-size": "64m", "max-file": "2"}  # of Docker's json-file log
HEALTH_TIMEOUT_S: Final = 60  # a server with gigabytes of messages reads them back first


def place(settings: Settings) -> Place:
    """The container's published ports, and the volume."""
    return Place(
        url=local_url("nats", settings.bind_address, settings.client_port),
        monitor_url=local_url("http", settings.bind_address, settings.monitor_port),
        store=f"volume {_name(settings)}",
        process=(
            f"{settings.image}, {settings.bind_address}, ports {settings.client_port} and {settings.monitor_port}, "
            f"maxFileStore {settings.max_file_store}, syncInterval {settings.sync_interval}, "
            f"hardened, {container.described(settings)}"
        ),
        docker=_docker_place(settings),
        owner=mark(Path.cwd().resolve(), settings.stack, remember=not pulumi.runtime.is_dry_run()),
    )


def launch(settings: Settings, estate: Estate, users: pulumi.Output[str] | None) -> Server:
    """Declare the container and what it needs.

    Args:
        settings: the stack's settings.
        estate: what every part of it depends on; it has found out that the names and the ports are free.
        users: who may log in, as part of the configuration; None for everybody.

    Raises:
        ProvisionerError: no engine answers, or the docker plugin is missing and may not be fetched.
    """
    require_docker()
    name, here = _name(settings), place(settings)
    config = _config(settings, name)
    labels = _labels(settings.stack, estate)
    opts = pulumi.ResourceOptions(depends_on=[estate])
    orphans = Orphans.under(_docker_place(settings))
    network = docker.Network(
        "network",
        name=name,
        labels=_listed({**labels, FOLDER_LABEL: str(Path.cwd())}),
        opts=_merged(
            opts,
            ignore_changes=["labels"],
            hooks=orphans.network_hook(),
        ),
    )
    # A changed label would replace the volume, and the messages would be gone.
    volume = docker.Volume(
        "data",
        name=name,
        labels=_listed({**labels, FOLDER_LABEL: str(Path.cwd())}),
        opts=_merged(opts, ignore_changes=["labels"], retain_on_delete=settings.on_delete is not OnDelete.DELETE),
    )
    # Taken from the engine when it is there, else pulled, and always before the old container goes.
    image = docker.RemoteImage("image", name=settings.image, keep_locally=True, opts=opts)
    whole = pulumi.Output.concat(config, users or "")
    server = docker.Container(
        "nats",
        name=name,
        image=image.image_id,  # not its name: a tag that moved is noticed
        entrypoints=["/bin/sh", "-c"],
        command=container.command(),
        envs=whole.apply(lambda text: container.environment(text, settings)),
        volumes=[{"volume_name": volume.name, "container_path": DATA_DIR}],
        networks_advanced=[{"name": network.name, "aliases": ["nats"]}],
        ports=[
            {"internal": CLIENT_PORT, "external": settings.client_port, "ip": settings.bind_address},
            {"internal": MONITOR_PORT, "external": settings.monitor_port, "ip": settings.bind_address},
        ],
        labels=_listed({**labels, **container.labels(settings)}),
        healthcheck=HEALTH,
        **container.privileges(owns_volume=orphans.can_act),
        **container.limits(settings),
        log_driver="json-file",
        log_opts=LOG_LIMITS,
        must_run=True,
        wait=True,
        wait_timeout=HEALTH_TIMEOUT_S,
        restart="unless-stopped",
        destroy_grace_seconds=10,  # otherwise the plugin kills the server instead of stopping it
        # For new containers only: another limit is no reason to replace one, nor is what the engine adds to it.
        opts=_merged(opts, hooks=orphans.container_hook(name, settings.pids), ignore_changes=["logDriver", "logOpts"]),
    )
    endpoint = Endpoint(
        url=here.url,
        monitor_url=here.monitor_url,
        ready=(pulumi.runtime.is_dry_run() and orphans.serving()) or server.id,
        store=volume.name,
    )
    return Server(endpoint, (server,))


def _docker_place(settings: Settings) -> DockerPlace:
    return DockerPlace(
        name=_name(settings),
        host=docker_setting("host"),
        context=docker_setting("context"),
        address=settings.bind_address,
        ports=(settings.client_port, settings.monitor_port),
    )


def _name(settings: Settings) -> str:
    return f"{pulumi.get_project()}-{settings.stack}"


def _config(settings: Settings, name: str) -> str:
    return server_config(
        name=name,
        host="0.0.0.0",  # noqa: S104 - inside the container; what the host publishes is `bindAddress`
        client_port=CLIENT_PORT,
        monitor_port=MONITOR_PORT,
        store_dir=DATA_DIR,
        max_file_store=settings.max_file_store,
        max_memory_store=container.max_memory_store(settings),
        sync_interval=settings.sync_interval,
    )


def _merged(opts: pulumi.ResourceOptions, **more: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(**more))


def _labels(stack: str, estate: Estate) -> dict[str, pulumi.Input[str]]:
    """Name the stack, and mark what is its own: the mark is the state's, the same for as long as the stack lives."""
    return {
        "prediction-streams.project": pulumi.get_project(),
        "prediction-streams.stack": stack,
        OWNER_LABEL: estate.owners.apply(lambda owners: owners[0]),
    }


def _listed(labels: Mapping[str, pulumi.Input[str]]) -> list[Any]:
    return [{"label": label, "value": value} for label, value in labels.items()]
