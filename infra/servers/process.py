"""A nats-server on this machine, for where there is no Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.servers import Server, local_url
from infra.servers.nats_conf import server_config
from provisioner.local_server import supervisor as daemon
from provisioner.local_server.server_dir import Home
from provisioner.providers.server_process import ServerProcess
from provisioner.providers.stream import Endpoint

if TYPE_CHECKING:
    from infra.settings import Settings


def launch(settings: Settings) -> Server:
    """Declare the server.

    Args:
        settings: The stack's settings.
    """
    wanted = _wanted(settings)
    server = ServerProcess("nats", wanted, on_delete=settings.on_delete.value)
    # While our server answers there, a preview can ask it, even when it is about to be reloaded.
    now = daemon.serving(wanted)
    endpoint = Endpoint(
        url=local_url("nats", wanted.host, wanted.client_port),
        monitor_url=local_url("http", wanted.host, wanted.monitor_port),
        ready=now.data_made if now else server.data_made,
        store=now.data_made if now else server.data_made,
    )
    return Server(endpoint, (server,))


def _wanted(settings: Settings) -> daemon.Wanted:
    home = Home(settings.store_dir)
    config = server_config(
        name=f"{pulumi.get_project()}-{settings.stack}",
        host=settings.bind_address,
        client_port=settings.client_port,
        monitor_port=settings.monitor_port,
        store_dir=str(home.data),
        max_file_store=settings.max_file_store,
    )
    return daemon.Wanted(
        home=home,
        owner=f"{pulumi.get_project()}/{settings.stack}",
        config=config,
        host=settings.bind_address,
        client_port=settings.client_port,
        monitor_port=settings.monitor_port,
    )
