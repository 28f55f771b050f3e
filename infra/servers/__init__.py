"""The ways to have a NATS server; each module has ``place`` and ``launch``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pulumi

from provisioner.docker_engine.holdings import DockerPlace
from provisioner.local_server.ports import met_at
from provisioner.resources.own_server import ACCOUNT_IN_STORE, Endpoint


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is known of a server before anything is declared.

    Attributes:
        url: Where clients connect.
        monitor_url: The HTTP monitoring, if there is one.
        store: Names the data behind it, for people too; another name is other data.
        data: The data's folder, where it is one of this machine.
        process: What it runs with, where it is the stack's own; another text restarts it.
        docker: Where it is on a Docker engine, if it is on one.
        owner: What marks this stack's own things there.
        key_problem: Why the data cannot be read with the key of a stack that has no state, if there is such data.
        grown_from: The store whose streams it takes over with their messages, if the stack had it before.
    """

    url: str
    monitor_url: str | None = None
    store: str
    data: Path | None = None
    process: str = ""
    docker: DockerPlace | None = None
    owner: str | None = None
    key_problem: str | None = None
    grown_from: str | None = None


@dataclass(frozen=True)
class Server:
    """A server of the stack.

    Attributes:
        endpoint: The server as the streams see it.
        resources: What the streams depend on.
    """

    endpoint: Endpoint
    resources: tuple[pulumi.Resource, ...] = ()


def place_in_account(place: Place, account: str | None) -> Place:
    """The same server seen from an account: another account has other streams."""
    return replace(place, store=f"{place.store}{ACCOUNT_IN_STORE}{account}") if account else place


def server_in_account(server: Server, account: str | None) -> Server:
    """The same for what its streams call the data."""
    if account is None or server.endpoint.store is None:
        return server
    store = pulumi.Output.concat(server.endpoint.store, f"{ACCOUNT_IN_STORE}{account}")
    return replace(server, endpoint=replace(server.endpoint, store=store))


def local_url(scheme: str, address: str, port: int) -> str:
    """Where a client on this machine finds a server that listens on ``address`` and ``port``."""
    host = met_at(address)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
