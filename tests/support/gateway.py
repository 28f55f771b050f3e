"""Two clusters joined by a gateway: one JetStream, whose streams are in the one or in the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.nats_cluster import NatsCluster
from tests.support.nats_server import NatsServer
from tests.support.ports import free_port
from tests.support.waiting import until

_JOINED_S = 60.0
_NAMES = ("EAST", "WEST")


@contextmanager
def two_clusters(folder: Path, sizes: tuple[int, int]) -> Iterator[tuple[NatsCluster, NatsCluster]]:
    """EAST and WEST, of so many nodes each, and JetStream works through every one; ended, whatever happens."""
    east, west = (NatsCluster(folder / name, size, name) for name, size in zip(_NAMES, sizes, strict=True))
    ports = {cluster.name: [free_port() for _ in cluster.nodes] for cluster in (east, west)}
    for cluster in east, west:
        for node, port in zip(cluster.nodes, ports[cluster.name], strict=True):
            node.extra = node.extra.replace("server_name: n", f"server_name: {cluster.name}-", 1) + _gateway(
                cluster.name, port, ports
            )
    try:
        for node in *east.nodes, *west.nodes:
            node.start()
        until("JetStream works in both", lambda: all(map(_works, (*east.nodes, *west.nodes))), _JOINED_S)
        yield east, west
    finally:
        for cluster in east, west:
            cluster.stop()


def _gateway(name: str, port: int, ports: dict[str, list[int]]) -> str:
    known = (
        f"{{ name: {other}, urls: [{', '.join(f'nats://127.0.0.1:{port}' for port in theirs)}] }}"
        for other, theirs in ports.items()
    )
    return f"gateway {{ name: {name}, listen: 127.0.0.1:{port}, gateways: [{', '.join(known)}] }}"


def _works(node: NatsServer) -> bool:
    with closing(JetStream(node.url, Credentials())) as client:
        try:
            return "limits" in client.account()
        except ProvisionerError:
            return False
