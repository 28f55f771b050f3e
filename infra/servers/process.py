"""A nats-server on this machine, for where there is no Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.servers import Place, Server, local_url
from infra.servers.nats_conf import server_config
from provisioner.local_server import supervisor
from provisioner.local_server.server_dir import ServerDir, ServerSpec
from provisioner.providers.server_process import ServerProcess
from provisioner.providers.stream import Endpoint

if TYPE_CHECKING:
    from infra.settings import Settings
    from provisioner.providers.estate import Estate


def place(settings: Settings) -> Place:
    """The server's two ports, and its folder."""
    return Place(
        url=local_url("nats", settings.bind_address, settings.client_port),
        monitor_url=local_url("http", settings.bind_address, settings.monitor_port),
        store=f"folder {settings.store_dir}",
        data=ServerDir(settings.store_dir).data,
        # As nats-server's reload has it: limits change in place.
        process=(
            f"{settings.bind_address}, ports {settings.client_port} and {settings.monitor_port}, "
            f"syncInterval {settings.sync_interval}"
        ),
    )


def launch(settings: Settings, estate: Estate) -> Server:
    """Declare the server.

    Args:
        settings: The stack's settings.
        estate: What it depends on.
    """
    spec, opts = _spec(settings), pulumi.ResourceOptions(depends_on=[estate])
    server = ServerProcess("nats", spec, on_delete=settings.on_delete.value, opts=opts)
    # While our server answers there, a preview can ask it, even when it is about to be reloaded.
    running = supervisor.serving(spec)
    endpoint = Endpoint(
        url=place(settings).url,
        monitor_url=place(settings).monitor_url,
        ready=running.data_made if running else server.data_made,
        store=supervisor.data_made(spec) or server.data_made,
    )
    return Server(endpoint, (server,))


def _spec(settings: Settings) -> ServerSpec:
    directory = ServerDir(settings.store_dir)
    config = server_config(
        name=f"{pulumi.get_project()}-{settings.stack}",
        host=settings.bind_address,
        client_port=settings.client_port,
        monitor_port=settings.monitor_port,
        store_dir=str(directory.data),
        max_file_store=settings.max_file_store,
        sync_interval=settings.sync_interval,
        log=directory.log,
    )
    return ServerSpec(
        directory=directory,
        owner=f"{pulumi.get_project()}/{settings.stack}",
        config=config,
        host=settings.bind_address,
        client_port=settings.client_port,
        monitor_port=settings.monitor_port,
    )
