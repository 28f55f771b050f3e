"""The routes of a cluster, each way through a proxy of its own: nodes can be cut off from one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner.jetstream.monitoring import fetch
from tests.support.faults.proxy import Link, linked
from tests.support.nats_cluster import NatsCluster
from tests.support.waiting import until

# Where the nodes tell one another that they listen: were it the truth, they would find a way around the proxies.
_NOWHERE = "127.0.0.1:1"
_PARTED_S = 10.0


@dataclass(frozen=True)
class Links:
    """A cluster and its routes.

    Attributes:
        cluster: the nodes.
        routes: by the node that connects and the one it connects to.
    """

    cluster: NatsCluster
    routes: dict[tuple[int, int], Link]

    @contextmanager
    def parted(self, apart: Sequence[int], *, silently: bool) -> Iterator[None]:
        """Some nodes are cut off from all others, each alone, until the block's end.

        Args:
            apart: the nodes.
            silently: what is sent on the way is held back, as in a network that loses packets; else connections break.
        """
        links = [link for ends, link in self.routes.items() if set(ends) & set(apart)]
        for link in links:
            link.part(silently=silently)
        try:
            if not silently:
                until(f"{apart} have no routes", lambda: not any(map(self._routes, apart)), _PARTED_S)
            yield
        finally:
            for link in links:
                link.heal()

    def _routes(self, number: int) -> int:
        """How many connections a node has to others."""
        url = self.cluster.nodes[number].monitor_url
        return int(fetch(url, ["/routez"])["/routez"].body["num_routes"])


@contextmanager
def linked_cluster(folder: Path, **options: Any) -> Iterator[Links]:
    """A started cluster whose nodes only reach one another through proxies; ended, whatever happens."""
    cluster = NatsCluster(folder, **options)
    numbers = range(cluster.size)
    with ExitStack() as stack:
        routes = {
            (here, there): stack.enter_context(linked(cluster.route_ports[there]))
            for here in numbers
            for there in numbers
            if here != there
        }
        for here, node in enumerate(cluster.nodes):
            node.extra = _rewritten(
                cluster, node.extra, {there: routes[here, there] for there in numbers if there != here}
            )
        stack.callback(cluster.stop)
        cluster.start()
        yield Links(cluster, routes)


def _rewritten(cluster: NatsCluster, text: str, ways: dict[int, Link]) -> str:
    """A node's configuration, with the ways to the others in place of their ports."""
    for there, link in ways.items():
        text = text.replace(f"nats://127.0.0.1:{cluster.route_ports[there]}", link.url)
    return text.replace("cluster {", f'cluster {{ advertise: "{_NOWHERE}",')
