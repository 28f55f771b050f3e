"""A NATS container on a Docker engine, its network, its published ports and the volume with the messages.

The image needs what the official alpine image has: `nats-server` as its entry point, and busybox.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pulumi
import pulumi_docker as docker

from infra.servers import Place, Server, local_url
from infra.servers.checkout import mark
from infra.servers.docker_engine import docker_setting, require_docker
from infra.servers.nats_conf import key_line, server_config
from infra.servers.orphans import Orphans
from provisioner.docker_engine.holdings import FOLDER_LABEL, OWNER_LABEL, VOLUME, DockerPlace, holdings
from provisioner.providers.estate import Estate
from provisioner.providers.stream import Endpoint
from provisioner.schema.model import OnDelete

if TYPE_CHECKING:
    from infra.settings import Settings

CLIENT_PORT: Final = 4222
MONITOR_PORT: Final = 8222
CONFIG_FILE: Final = "/etc/nats/prediction-streams.conf"  # not the image's own: `image` may bring one
DATA_DIR: Final = "/data"
LOG_LIMITS: Final = {"max-size": "64m", "max-file": "2"}  # of Docker's json-file log
HEALTH_TIMEOUT_S: Final = 60  # a server with gigabytes of messages reads them back first

# /healthz says ok of a server without JetStream too; /jsz names the store only when JetStream is up.
# Quick until it is healthy for the first time, then every 30 s: engines before 25 have no interval for the start, so
# the check itself waits. /dev/shm is empty after each start. Durations are in Go's canonical form: "60s" would be a
# difference for ever.
HEALTH: Final[docker.ContainerHealthcheckArgsDict] = {
    "tests": [
        "CMD-SHELL",
        (
            "if [ -e /dev/shm/healthy ]; then sleep 29; fi; "
            f"timeout 3 wget -qO- http://127.0.0.1:{MONITOR_PORT}/jsz | grep -q store_dir && touch /dev/shm/healthy"
        ),
    ],
    "interval": "1s",
    "timeout": "40s",
    "start_period": "1m0s",
    "retries": 3,
}


def place(settings: Settings) -> Place:
    """The container's published ports, and the volume."""
    return Place(
        url=local_url("nats", settings.bind_address, settings.client_port),
        monitor_url=local_url("http", settings.bind_address, settings.monitor_port),
        store=f"volume {_name(settings)}",
        process=(
            f"{settings.image}, {settings.bind_address}, ports {settings.client_port} and {settings.monitor_port}, "
            f"maxFileStore {settings.max_file_store}, syncInterval {settings.sync_interval}"
        ),
        docker=_docker_place(settings),
        key_problem=_key_problem(settings),
        owner=mark(Path.cwd().resolve(), settings.stack, remember=not pulumi.runtime.is_dry_run()),
    )


def launch(
    settings: Settings, estate: Estate, users: pulumi.Output[str] | None, key: pulumi.Output[str] | None = None
) -> Server:
    """Declare the container and what it needs.

    Args:
        settings: the stack's settings.
        estate: what every part of it depends on; it has found out that the names and the ports are free.
        users: who may log in, as part of the configuration; None for everybody.
        key: what the data is encrypted with; None where it is not.

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
    container = docker.Container(
        "nats",
        name=name,
        image=image.image_id,  # not its name: a tag that moved is noticed
        command=["--config", CONFIG_FILE],
        uploads=[{"file": CONFIG_FILE, "content": _content(config, users, key)}],
        volumes=[{"volume_name": volume.name, "container_path": DATA_DIR}],
        networks_advanced=[{"name": network.name, "aliases": ["nats"]}],
        ports=[
            {"internal": CLIENT_PORT, "external": settings.client_port, "ip": settings.bind_address},
            {"internal": MONITOR_PORT, "external": settings.monitor_port, "ip": settings.bind_address},
        ],
        labels=_listed({**labels, "prediction-streams.healthcheck": _health_digest()}),
        healthcheck=HEALTH,
        log_driver="json-file",
        log_opts=LOG_LIMITS,
        must_run=True,
        wait=True,
        wait_timeout=HEALTH_TIMEOUT_S,
        restart="unless-stopped",
        destroy_grace_seconds=10,  # otherwise the plugin kills the server instead of stopping it
        # For new containers only: another limit is no reason to replace one, nor is what the engine adds to it.
        opts=_merged(opts, hooks=orphans.container_hook(), ignore_changes=["logDriver", "logOpts"]),
    )
    endpoint = Endpoint(
        url=here.url,
        monitor_url=here.monitor_url,
        ready=(pulumi.runtime.is_dry_run() and orphans.serving()) or container.id,
        store=volume.name,
    )
    return Server(endpoint, (container,))


def _docker_place(settings: Settings) -> DockerPlace:
    return DockerPlace(
        name=_name(settings),
        host=docker_setting("host"),
        context=docker_setting("context"),
        address=settings.bind_address,
        ports=(settings.client_port, settings.monitor_port),
    )


def _key_problem(settings: Settings) -> str | None:
    """A volume that is there has a key already: of a stack that has lost its state, nobody knows it."""
    engine = _docker_place(settings).engine() if settings.encryption and not settings.encryption_key else None
    if engine is None or VOLUME not in holdings(engine, _name(settings)):
        return None
    return (
        f"volume {_name(settings)} is there already, and nats-server finds no stream in it with a new key; give the "
        f"one that it has: pulumi config set --secret encryptionKey; or remove it: docker volume rm {_name(settings)}"
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
        sync_interval=settings.sync_interval,
        encryption=settings.encryption,
    )


def _content(config: str, users: pulumi.Output[str] | None, key: pulumi.Output[str] | None) -> pulumi.Input[str]:
    """The configuration's text. The engine shows a container's environment to whoever asks, and no uploaded file."""
    parts = [key.apply(key_line)] if key else []
    return pulumi.Output.concat(*parts, config, *([users] if users else [])) if parts or users else config


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


def _health_digest() -> str:
    """A changed label replaces the container; a changed health check would be silently ignored."""
    return hashlib.sha256(json.dumps(HEALTH, sort_keys=True).encode()).hexdigest()[:12]
