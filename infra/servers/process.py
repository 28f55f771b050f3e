"""nats-servers on this machine, one or a cluster of them, for where there is no Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi

from infra.servers import Place, Server, local_url
from infra.servers.nats_conf import ROUTES_ON, Cluster, Tls, listen, server_config
from infra.tls_settings import AUTHORITY, FILES
from provisioner.local_server import supervisor
from provisioner.local_server.problems import key_problems
from provisioner.local_server.server_dir import CA_FILE, PAIR_FILE, Peer, ServerDir, ServerSpec
from provisioner.resources.own_server import Endpoint, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from infra.certificates import Certificates
    from infra.settings import Settings
    from provisioner.resources.own_server import Estate

_NEW_KEY: Final = "a key that the stack is yet to make, or has"


def place(settings: Settings) -> Place:
    """The servers' ports, and the folder with their data."""
    client, monitor = ("tls", "https") if settings.tls else ("nats", "http")
    return Place(
        url=",".join(local_url(client, settings.bind_address, port) for port in settings.client_ports),
        monitor_url=",".join(local_url(monitor, settings.bind_address, port) for port in settings.monitor_ports),
        store=f"folder {_home(settings)}",
        data=ServerDir(settings.store_dir).data if settings.nodes == 1 else _home(settings),
        # As nats-server's reload has it: limits change in place.
        process=(
            f"{settings.bind_address}, ports {_listed(settings.client_ports)} and {_listed(settings.monitor_ports)}, "
            f"syncInterval {settings.sync_interval}{', tls' if settings.tls else ''}"
        ),
        key_problem=next((problem for spec in _specs(settings) for problem in key_problems(spec)), None),
        grown_from=f"folder {settings.store_dir}" if settings.nodes > 1 else None,
    )


def launch(
    settings: Settings,
    estate: Estate,
    users: pulumi.Output[str] | None,
    key: pulumi.Output[str] | None = None,
    certificates: Certificates | None = None,
) -> Server:
    """Declare the server, or the nodes of the cluster: each waits for the one before, so one restarts at a time.

    Args:
        settings: The stack's settings.
        estate: What it depends on.
        users: Who may log in, as part of the configuration; None for everybody.
        key: What the data is encrypted with; None where it is not.
        certificates: What the servers show; None without TLS.
    """
    specs = _specs(settings)
    running = [spec for spec in specs if supervisor.serving(spec)]
    before: pulumi.Resource = estate
    servers: list[ServerProcess] = []
    # A node that is down or hangs comes first: until it is back, no other may be restarted.
    for spec in sorted(specs, key=lambda spec: spec in running and supervisor.greets(spec)):
        opts = pulumi.ResourceOptions(depends_on=[before])
        name, policy = _resource(specs.index(spec)), settings.on_delete.value
        shown = certificates.shown if certificates else None
        before = ServerProcess(name, spec, users=users, tls=shown, encryption_key=key, on_delete=policy, opts=opts)
        servers.append(before)
    made, last = next(filter(None, map(supervisor.data_made, specs)), None), servers[-1]
    here = place(settings)
    endpoint = Endpoint(
        url=here.url,
        monitor_url=here.monitor_url,
        # While a majority answers there, a preview can ask it, even when it is about to be reloaded.
        ready=made if made and len(running) > len(specs) / 2 else last.data_made,
        store=made or last.data_made,
    )
    return Server(endpoint, tuple(servers))


def _home(settings: Settings) -> Path:
    """The folder of the data: a server cannot go on, as a node, with the data of one that was alone."""
    return settings.store_dir if settings.nodes == 1 else settings.store_dir / "cluster"


def _resource(index: int) -> str:
    return f"nats-{index + 1}" if index else "nats"


def _specs(settings: Settings) -> list[ServerSpec]:
    homes = [settings.store_dir]
    if settings.nodes > 1:
        homes = [_home(settings) / f"node-{index + 1}" for index in range(settings.nodes)]
    peers = [
        Peer(ServerDir(home), client_port, monitor_port)
        for home, client_port, monitor_port in zip(homes, settings.client_ports, settings.monitor_ports, strict=True)
    ]
    return [_spec(settings, index, peers) for index in range(settings.nodes)]


def _spec(settings: Settings, index: int, nodes: Sequence[Peer]) -> ServerSpec:
    own, name = nodes[index], f"{pulumi.get_project()}-{settings.stack}"
    tls = _tls(settings, own.directory)
    routes = tuple(listen(ROUTES_ON, port) for port in settings.cluster_ports)
    config = server_config(
        name=name if settings.nodes == 1 else f"{name}-{index + 1}",
        host=settings.bind_address,
        client_port=own.client_port,
        monitor_port=own.monitor_port,
        store_dir=str(own.directory.data),
        max_file_store=settings.max_file_store,
        sync_interval=settings.sync_interval,
        encryption=settings.encryption,
        log=own.directory.log,
        cluster=Cluster(name=name, listen=routes[index], routes=routes) if settings.nodes > 1 else None,
        tls=tls,
    )
    return ServerSpec(
        directory=own.directory,
        owner=f"{pulumi.get_project()}/{settings.stack}",
        config=config,
        host=settings.bind_address,
        client_port=own.client_port,
        monitor_port=own.monitor_port,
        cluster_port=settings.cluster_ports[index] if settings.nodes > 1 else None,
        peers=tuple(node for node in nodes if node is not own),
        ca=tls.ca if tls else None,
        encryption_key=settings.encryption_key or (_NEW_KEY if settings.encryption else None),
    )


def _tls(settings: Settings, directory: ServerDir) -> Tls | None:
    if settings.tls == AUTHORITY:
        pair, ca = (str(directory.tls / name) for name in (PAIR_FILE, CA_FILE))
        return Tls(ca=ca, cert=pair, key=pair)
    if settings.tls == FILES:
        return Tls(ca=str(settings.ca), cert=str(settings.cert), key=str(settings.key))
    return None


def _listed(ports: Sequence[int]) -> str:
    return ", ".join(map(str, ports))
