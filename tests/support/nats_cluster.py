"""A real cluster of nats-servers for a test: each node a NatsServer with routes to the others."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from nats.errors import Error as NatsError

from tests.support.nats_server import NatsServer
from tests.support.ports import free_port
from tests.support.raw_nats import raw_client
from tests.support.waiting import until

_DEADLINE_S = 30.0
_HTTP_TIMEOUT_S = 2.0
_ANSWER_TIMEOUT_S = 0.5
# No proxy: every node is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class NatsCluster:
    """Nodes that can be killed and started again one by one, on the same ports and data.

    Attributes:
        folder: holds a folder for each node, named as the node is.
        size: how many nodes.
        name: the cluster's.
        tags: the ``server_tags`` of each node, in their order; none for those it does not reach.
        extra: further configuration of every node.
        jetstream: what is in every node's ``jetstream`` block beside the folder.
        login: nats-py's ``user`` and ``password``, where the configuration asks for them.
    """

    folder: Path
    size: int = 3
    name: str = "C"
    tags: Sequence[Sequence[str]] = ()
    extra: str = ""
    jetstream: str = NatsServer.jetstream
    login: Mapping[str, str] = field(default_factory=dict)
    nodes: list[NatsServer] = field(init=False)
    route_ports: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.route_ports = [free_port() for _ in range(self.size)]
        self.nodes = [NatsServer(self.folder / node, jetstream=self.jetstream) for node in self.names]
        for number, node in enumerate(self.nodes):
            node.folder.mkdir(parents=True, exist_ok=True)
            node.extra = self._config(number)

    @property
    def names(self) -> list[str]:
        """The ``server_name`` of each node: n0, n1 and so on."""
        return [f"n{number}" for number in range(self.size)]

    @property
    def url(self) -> str:
        """Every node's client URL, with commas."""
        return ",".join(node.url for node in self.nodes)

    @property
    def monitor_urls(self) -> list[str]:
        return [node.monitor_url for node in self.nodes]

    def start(self) -> None:
        """Start every node and wait until JetStream works on all of them."""
        for node in self.nodes:
            node.start()
        self.wait()

    def wait(self) -> None:
        """Wait until JetStream works on every node that runs.

        They are healthy and name the same meta leader, which is one of them, and a request through each of them is
        answered: on a healthy node that has yet to hear what the leader listens to, it is lost.
        """
        until("the cluster is healthy and has a meta leader", self._is_ready, _DEADLINE_S)
        for node in self.running():
            until(f"the meta leader answers through {self.names[node]}", partial(self._answers, node), _DEADLINE_S)

    def kill(self, node: int, how: int = signal.SIGKILL) -> None:
        """End one node; SIGKILL unless told otherwise."""
        self.nodes[node].kill(how)

    def start_node(self, node: int) -> None:
        """Start one node and wait until it accepts clients; ``wait`` is for its JetStream."""
        self.nodes[node].start()

    def stop(self) -> None:
        """Kill every node. Idempotent."""
        for node in self.nodes:
            node.kill()

    def running(self) -> list[int]:
        """The nodes whose process is there."""
        return [number for number, node in enumerate(self.nodes) if node.process and node.process.poll() is None]

    def health(self, node: int) -> int:
        """The HTTP status of a node's /healthz; 0 if it does not answer."""
        return self.get(node, "/healthz")[0]

    def meta_leader(self, node: int) -> int | None:
        """The node that leads the meta group, as this node sees it."""
        leader = self.get(node, "/jsz")[1].get("meta_cluster", {}).get("leader")
        return self.names.index(leader) if leader else None

    def _is_ready(self) -> bool:
        running = self.running()
        leaders = {self.meta_leader(node) for node in running}
        return len(leaders) == 1 and leaders <= set(running) and all(self.health(node) == 200 for node in running)

    def _answers(self, node: int) -> bool:
        """Whether the meta leader does; nobody else answers this request."""
        with suppress(NatsError, OSError), raw_client(self.nodes[node].url, **self.login) as client:
            return b'"error"' not in client.request("$JS.API.INFO", timeout=_ANSWER_TIMEOUT_S)
        return False

    def get(self, node: int, path: str) -> tuple[int, dict[str, Any]]:
        """What a node's monitoring answers: the HTTP status and the body; 0 if it does not."""
        try:
            with _OPENER.open(self.nodes[node].monitor_url + path, timeout=_HTTP_TIMEOUT_S) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    def _config(self, number: int) -> str:
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.route_ports)
        tags = json.dumps(list(self.tags[number] if number < len(self.tags) else ()))
        listen = f"listen: 127.0.0.1:{self.route_ports[number]}"
        cluster = f"cluster {{ name: {self.name}, {listen}, routes: [{routes}] }}"
        return f"server_name: {self.names[number]}\nserver_tags: {tags}\n{cluster}\n{self.extra}"


@contextmanager
def running_cluster(folder: Path, nodes: int = 3, **options: Any) -> Iterator[NatsCluster]:
    """A started cluster; ended, whatever happens. The options are NatsCluster's."""
    cluster = NatsCluster(folder, nodes, **options)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
