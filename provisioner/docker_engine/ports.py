"""Ports that other containers publish; the engine knows, wherever it is."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from typing import Any

from provisioner.docker_engine.api import Engine


def publishers(engine: Engine, address: str, port: int, own: Collection[str]) -> Iterator[str]:
    """The names of running containers that publish the port where it is wanted.

    Args:
        engine: the engine.
        address: the address that it is wanted on.
        port: the port.
        own: the ids of the stack's own containers, which do not count.
    """
    for container in engine.get("/containers/json") or ():
        if container.get("Id") not in own and any(_takes(each, address, port) for each in container.get("Ports") or ()):
            yield str((container.get("Names") or [container.get("Id")])[0]).removeprefix("/")


def _takes(published: dict[str, Any], address: str, port: int) -> bool:
    if published.get("PublicPort") != port or published.get("Type") != "tcp":
        return False
    there, wanted = ipaddress.ip_address(published.get("IP") or "0.0.0.0"), ipaddress.ip_address(address)  # noqa: S104
    return there.version == wanted.version and (there == wanted or there.is_unspecified or wanted.is_unspecified)
