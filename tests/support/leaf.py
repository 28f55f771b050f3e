"""A hub and a leaf node, each with a JetStream domain of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioner.errors import ProvisionerError
from provisioner.jetstream.address import address
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.waiting import until

DOMAIN = "leaf"


@dataclass(frozen=True)
class Leaf:
    """Both servers."""

    hub: NatsServer
    leaf: NatsServer

    @property
    def address(self) -> str:
        """The leaf's JetStream, reached through the hub."""
        return address(self.hub.url, f"$JS.{DOMAIN}.API")


@contextmanager
def hub_and_leaf(folder: Path) -> Iterator[Leaf]:
    """Both, connected; ended, whatever happens."""
    port = free_port()
    room = "max_file_store: 1GB, max_mem: 100MB"
    hub = f"leafnodes {{ listen: 127.0.0.1:{port} }}"
    leaf = f'server_name: leaf\nleafnodes {{ remotes: [{{ url: "nats://127.0.0.1:{port}" }}] }}'
    with (
        running(folder / "hub", hub, f"{room}, domain: hub") as one,
        running(folder / "leaf", leaf, f"{room}, domain: {DOMAIN}") as other,
    ):
        made = Leaf(one, other)
        until("the hub reaches the leaf's JetStream", lambda: _answers(made.address), 15)
        yield made


def _answers(where: str) -> bool:
    with closing(JetStream(where, Credentials())) as client:
        try:
            return "limits" in client.account()
        except ProvisionerError:
            return False
