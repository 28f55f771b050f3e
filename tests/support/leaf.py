"""A hub, of one server or a cluster, and a leaf node, each with a JetStream domain of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from provisioner.errors import ProvisionerError
from provisioner.jetstream.address import address
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.nats_cluster import NatsCluster
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.waiting import until

DOMAIN = "leaf"
_ROOM = "max_file_store: 1GB, max_mem: 100MB"
_CONNECTED_S = 15


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
    with running(folder / "hub", _listening(port), f"{_ROOM}, domain: hub") as hub, _leaf(folder, port) as leaf:
        made = Leaf(hub, leaf)
        until("the hub reaches the leaf's JetStream", lambda: _answers(made.address), _CONNECTED_S)
        yield made


@dataclass(frozen=True)
class ClusterLeaf:
    """The same with a hub of three nodes."""

    hub: NatsCluster
    leaf: NatsServer

    @property
    def leaf_through_hub(self) -> str:
        return address(self.hub.url, f"$JS.{DOMAIN}.API")

    @property
    def hub_through_leaf(self) -> str:
        return address(self.leaf.url, "$JS.hub.API")

    def wait(self) -> None:
        """Wait until the hub is whole, and either is reached through the other."""
        self.hub.wait()
        for way in self.leaf_through_hub, self.hub_through_leaf:
            until(f"{way} answers", partial(_answers, way), _CONNECTED_S)


@contextmanager
def cluster_and_leaf(folder: Path) -> Iterator[ClusterLeaf]:
    """Both, connected through the hub's first node; ended, whatever happens."""
    port = free_port()
    hub = NatsCluster(folder / "hub", name="HUB", jetstream=f"{_ROOM}, domain: hub")
    hub.nodes[0].extra += _listening(port)
    try:
        hub.start()
        with _leaf(folder, port) as leaf:
            made = ClusterLeaf(hub, leaf)
            made.wait()
            yield made
    finally:
        hub.stop()


def _listening(port: int) -> str:
    return f"leafnodes {{ listen: 127.0.0.1:{port} }}"


def _leaf(folder: Path, port: int) -> AbstractContextManager[NatsServer]:
    remote = f'server_name: leaf\nleafnodes {{ remotes: [{{ url: "nats://127.0.0.1:{port}" }}] }}'
    return running(folder / "leaf", remote, f"{_ROOM}, domain: {DOMAIN}")


def _answers(where: str) -> bool:
    with closing(JetStream(where, Credentials())) as client:
        try:
            return "limits" in client.account()
        except ProvisionerError:
            return False
