"""A server or cluster that is there already: nothing to make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.servers import Place, Server
from provisioner.jetstream.address import address
from provisioner.resources.own_server import Endpoint

if TYPE_CHECKING:
    from infra.settings import Settings


def place(settings: Settings) -> Place:
    """The server the settings name; `settings.url` is checked to be there."""
    url = address(settings.url or "", settings.api)
    return Place(url=url, monitor_url=settings.monitor_url, store=url)


def launch(settings: Settings, _estate: object, _users: object, _key: object = None) -> Server:
    """Point at the server."""
    there = place(settings)
    return Server(Endpoint(url=there.url, monitor_url=there.monitor_url, ready=there.url, store=there.store))
