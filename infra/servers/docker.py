"""NATS in containers, one or a cluster of them: their network, published ports and the volumes with the messages.

The image needs what the official alpine image has: `nats-server` on its path, and busybox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pulumi
import pulumi_docker as docker

from infra.servers import Place, Server, container, encrypted_volume, local_url
from infra.servers.checkout import mark
from infra.servers.container import CLIENT_PORT, MONITOR_PORT
from infra.servers.docker_engine import docker_setting, require_docker
from infra.servers.nats_conf import Cluster, server_config
from infra.servers.orphans import Orphans
from infra.tls_settings import AUTHORITY
from provisioner.docker_engine.hardening import DATA_DIR
from provisioner.docker_engine.holdings import (
    CONTAINER,
    FOLDER_LABEL,
    OWNER_LABEL,
    DockerPlace,
    holdings,
    node_name,
    of_kind,
)
from provisioner.resources.own_server import Endpoint, Estate, NodeTurn, greeting_nodes
from provisioner.schema.model import OnDelete

if TYPE_CHECKING:
    from infra.certificates import Certificates
    from infra.settings import Settings

CLUSTER_PORT: Final = 6222  # in the stack's network; no port of the host
ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - inside the container; what the host publishes is `bindAddress`
LOG_LIMITS: Final = {"max-size": "64m", "max-file": "2"}  # of Docker's json-file log
HEALTH_TIMEOUT_S: Final = 60  # a server with gigabytes of messages reads them back first


def place(settings: Settings) -> Place:
    """The containers' published ports, and the volumes."""
    client, monitor = ("tls", "https") if settings.tls else ("nats", "http")
    return Place(
        url=",".join(local_url(client, settings.bind_address, port) for port in settings.client_ports),
        monitor_url=",".join(local_url(monitor, settings.bind_address, port) for port in settings.monitor_ports),
        store=_store(settings),
        process=(
            f"{settings.image}, {settings.bind_address}, ports {_joined(settings.client_ports)} and "
            f"{_joined(settings.monitor_ports)}, maxFileStore {settings.max_file_store}, "
            f"syncInterval {settings.sync_interval}, hardened, {container.described(settings)}{_shows(settings)}"
        ),
        docker=docker_place(settings),
        key_problem=encrypted_volume.key_problem(settings, docker_place(settings)) or _lost_authority(settings),
        owner=mark(Path.cwd().resolve(), settings.stack, remember=not pulumi.runtime.is_dry_run()),
        grown_from=f"volume {_name(settings)}" if settings.nodes > 1 else None,
    )


def launch(
    settings: Settings,
    estate: Estate,
    users: pulumi.Output[str] | None,
    key: pulumi.Output[str] | None = None,
    certificates: Certificates | None = None,
) -> Server:
    """Declare the container and what it needs; of a cluster all nodes, each of which waits for the one before.

    Args:
        settings: the stack's settings.
        estate: what every part of it depends on; it has found out that the names and the ports are free.
        users: who may log in, as part of the configuration; None for everybody.
        key: what the data is encrypted with; None where it is not.
        certificates: what the servers show; None without TLS.

    Raises:
        ProvisionerError: no engine answers, or the docker plugin is missing and may not be fetched.
    """
    require_docker()
    stack = _Stack(settings, estate, users, key, certificates)
    greeting = greeting_nodes(stack.place) if settings.nodes > 1 else ()
    # A node that is down or hangs comes first: until it is back, no other may be replaced.
    for name in sorted(stack.place.names, key=lambda name: name in greeting):
        stack.declare_node(stack.place.names.index(name))
    here = place(settings)
    endpoint = Endpoint(
        url=here.url,
        monitor_url=here.monitor_url,
        # While a majority answers there, a preview can ask it, even when it is about to be replaced.
        ready=(pulumi.runtime.is_dry_run() and stack.orphans.serving()) or stack.ids(),
        store=stack.volumes[0].name if settings.nodes == 1 else here.store,
    )
    return Server(endpoint, tuple(stack.declared()))


class _Stack:
    """The parts of a stack on an engine, declared one after the other."""

    def __init__(
        self,
        settings: Settings,
        estate: Estate,
        users: pulumi.Output[str] | None,
        key: pulumi.Output[str] | None,
        shown: Certificates | None,
    ) -> None:
        self.settings, self.users, self.key, self.shown = settings, users, key, shown
        self.place = docker_place(settings)
        self.orphans = Orphans.under(self.place)
        self.labels = own_labels(settings.stack, estate)
        self.opts = pulumi.ResourceOptions(depends_on=[estate])
        folder = listed({**self.labels, FOLDER_LABEL: str(Path.cwd())})
        self.network = docker.Network(
            "network",
            name=self.place.name,
            labels=folder,
            opts=_merged(self.opts, ignore_changes=["labels"], hooks=self.orphans.network_hook()),
        )
        # A changed label would replace the volume, and the messages would be gone.
        kept = settings.on_delete is not OnDelete.DELETE
        self.volumes = [
            docker.Volume(
                node_name("data", index),
                name=name,
                labels=folder + listed(encrypted_volume.labels(settings, key)),
                opts=_merged(self.opts, ignore_changes=["labels"], retain_on_delete=kept),
            )
            for index, name in enumerate(self.place.names)
        ]
        # Taken from the engine when it is there, else pulled, and always before the old container goes.
        self.image = docker.RemoteImage("image", name=settings.image, keep_locally=True, opts=self.opts)
        self.containers: list[docker.Container] = []

    def ids(self) -> pulumi.Output[str]:
        """What tells these containers from others, whichever of them came first in this run."""
        return pulumi.Output.all(*(each.id for each in self.containers)).apply(lambda ids: ",".join(sorted(ids)))

    def declared(self) -> list[pulumi.Resource]:
        """What the streams wait for: the container, or the cluster that is whole."""
        if len(self.containers) == 1:
            return [*self.containers]
        opts = _merged(self.opts, depends_on=self.containers)
        return [NodeTurn("cluster", docker=self.place, node=None, runs=self.ids(), ca=self._ca(), opts=opts)]

    def _ca(self) -> pulumi.Input[str] | None:
        return self.shown.ca if self.shown else None

    def declare_node(self, index: int) -> None:
        """Declare a node, which waits for its turn when there are others."""
        name, runs = self.place.names[index], self._runs(index)
        before: list[pulumi.Resource] = [*self.containers[-1:]]
        if self.settings.nodes > 1:
            digest = pulumi.Output.json_dumps(runs).apply(container.digest)
            opts = _merged(self.opts, depends_on=before)
            before = [
                NodeTurn(node_name("turn", index), docker=self.place, node=name, runs=digest, ca=self._ca(), opts=opts)
            ]
        made = docker.Container(
            node_name("nats", index),
            **runs,
            must_run=True,
            wait=True,
            wait_timeout=HEALTH_TIMEOUT_S,
            restart="unless-stopped",
            destroy_grace_seconds=10,  # otherwise the plugin kills the server instead of stopping it
            log_driver="json-file",
            log_opts=LOG_LIMITS,
            # For new containers only: another limit is no reason to replace one, nor is what the engine adds to it.
            opts=_merged(
                self.opts,
                depends_on=before,
                hooks=self.orphans.container_hook(name, self.settings.pids),
                ignore_changes=["logDriver", "logOpts"],
            ),
        )
        self.containers.append(made)

    def _runs(self, index: int) -> dict[str, Any]:
        """The properties of a container whose change replaces it."""
        settings, name = self.settings, self.place.names[index]
        address = settings.bind_address
        config = pulumi.Output.concat(_config(settings, name, index), self.users or "")
        return {
            "name": name,
            "image": self.image.image_id,  # not its name: a tag that moved is noticed
            "entrypoints": ["/bin/sh", "-c"],
            "command": container.command(has_key=self.key is not None),
            "envs": config.apply(lambda text: container.environment(text, settings)),
            "volumes": [{"volume_name": self.volumes[index].name, "container_path": DATA_DIR}],
            "networks_advanced": [{"name": self.network.name, "aliases": [node_name("nats", index)]}],
            "ports": [
                {"internal": CLIENT_PORT, "external": settings.client_ports[index], "ip": address},
                {"internal": MONITOR_PORT, "external": settings.monitor_ports[index], "ip": address},
            ],
            "labels": listed({**self.labels, **container.labels(settings)}),
            "healthcheck": container.health(tls=bool(settings.tls)),
            **container.privileges(owns_volume=self.orphans.can_act),
            **container.uploads(self.key, self.shown.shown.files if self.shown else None),
            **container.limits(settings),
        }


def docker_place(settings: Settings) -> DockerPlace:
    """Where the stack's containers are, or are to be."""
    return DockerPlace(
        name=_name(settings),
        host=docker_setting("host"),
        context=docker_setting("context"),
        address=settings.bind_address,
        ports=(*settings.client_ports, *settings.monitor_ports),
        nodes=settings.nodes,
    )


def _lost_authority(settings: Settings) -> str | None:
    """Nodes with certificates of an authority that is lost find no route to the first one that is replaced."""
    where = docker_place(settings)
    engine = where.engine() if settings.tls == AUTHORITY and settings.nodes > 1 else None
    names = [each.name for each in of_kind(CONTAINER, holdings(engine, where)) if each.serves] if engine else []
    if not names:
        return None
    return (
        f"containers {', '.join(names)} show certificates of an authority that this state does not have, and would "
        f"find no route to those with another; remove them, their volumes stay: docker rm --force {' '.join(names)}"
    )


def _shows(settings: Settings) -> str:
    """What another container is made for: no reload brings a certificate into one."""
    if settings.tls == AUTHORITY:
        return f", tls, authority {settings.authority}, certificate {settings.certificate}"
    files = (path.read_text() for path in (settings.ca, settings.cert, settings.key) if path)
    return f", tls, files {container.digest(''.join(files))}" if settings.tls else ""


def _name(settings: Settings) -> str:
    return f"{pulumi.get_project()}-{settings.stack}"


def _store(settings: Settings) -> str:
    return f"{'volume' if settings.nodes == 1 else 'volumes'} {_name(settings)}"


def _config(settings: Settings, name: str, index: int) -> str:
    routes = tuple(f"{node_name('nats', node)}:{CLUSTER_PORT}" for node in range(settings.nodes))
    alone = settings.nodes == 1
    # Nodes are not advertised: the addresses that they have are the network's own, and clients may be outside.
    cluster = Cluster(name=_name(settings), listen=f"{ANYWHERE}:{CLUSTER_PORT}", routes=routes, advertise=False)
    return server_config(
        name=name if alone else f"{_name(settings)}-{index + 1}",
        host=ANYWHERE,
        client_port=CLIENT_PORT,
        monitor_port=MONITOR_PORT,
        # A server cannot go on, as a node, with the data of one that was alone; both have room in the first volume.
        store_dir=DATA_DIR if alone else f"{DATA_DIR}/cluster",
        max_file_store=settings.max_file_store,
        max_memory_store=container.max_memory_store(settings),
        sync_interval=settings.sync_interval,
        encryption=settings.encryption,
        cluster=None if alone else cluster,
        tls=container.tls_files() if settings.tls else None,
    )


def _joined(ports: Sequence[int]) -> str:
    return ", ".join(map(str, ports))


def _merged(opts: pulumi.ResourceOptions, **more: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(**more))


def own_labels(stack: str, estate: Estate) -> dict[str, pulumi.Input[str]]:
    """Name the stack, and mark what is its own: the mark is the state's, the same for as long as the stack lives."""
    return {
        "prediction-streams.project": pulumi.get_project(),
        "prediction-streams.stack": stack,
        OWNER_LABEL: estate.owners.apply(lambda owners: owners[0]),
    }


def listed(labels: Mapping[str, pulumi.Input[str]]) -> list[Any]:
    """Labels as the docker plugin takes them."""
    return [{"label": label, "value": value} for label, value in labels.items()]
