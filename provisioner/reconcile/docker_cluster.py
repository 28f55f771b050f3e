"""The nodes of a cluster on a Docker engine: when one of them may be replaced, and when all are whole.

A container is replaced by the docker plugin, which knows nothing of the others. So before each of them stands a wait
of ours, and one more after the last.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from provisioner.docker_engine.holdings import CONTAINER, DockerPlace, Holding, holdings, of_kind
from provisioner.errors import ProvisionerError
from provisioner.local_server.cluster import CURRENT_TIMEOUT_S, SPARE_TIMEOUT_S, wait_steadily
from provisioner.local_server.ports import greeting, health_problem

_LOOK_EVERY_S: Final = 0.1
_CLIENTS: Final = "4222/tcp"
_MONITOR: Final = "8222/tcp"


@dataclass(frozen=True)
class _Node:
    """Where a node is asked now, which may not be where it is to be; nowhere when its container does not run."""

    address: str
    client_port: int | None
    monitor_port: int | None
    ca: str | None = None

    @property
    def greets(self) -> bool:
        """Whether it is a node that serves: a server that was alone until now is none yet."""
        said = greeting(self.address, self.client_port, self.ca) if self.client_port else None
        return said is not None and said.cluster is not None

    @property
    def problem(self) -> str | None:
        if self.monitor_port is None:
            return "its container does not run"
        return health_problem(self.address, self.monitor_port, self.ca)


def greeting_nodes(place: DockerPlace) -> set[str]:
    """The nodes that greet clients now."""
    return {name for name, node in _nodes(place).items() if node.greets}


def await_turn(place: DockerPlace, name: str, ca: str | None = None) -> None:
    """Let a node be replaced only while all others are whole; one that does not serve takes nothing away.

    Nodes that have yet to be made do not count: a cluster has no leader before all of its nodes run.

    Args:
        place: where they are.
        name: the node's.
        ca: whom to trust of those that speak TLS, in PEM; None where none does.

    Raises:
        ProvisionerError: another node is not in time; nothing has been touched.
    """
    nodes = _nodes(place, ca)
    if name not in nodes or not nodes[name].greets:
        return
    if problems := _lasting_problems(place, [other for other in nodes if other != name], ca):
        raise ProvisionerError(
            f"{name} has to be replaced, and waits for the other nodes of its cluster: {problems}; it stays as it is"
        )


def await_whole(place: DockerPlace, ca: str | None = None) -> None:
    """Wait until every node is healthy: the cluster has a leader, and each has all that it is to hold.

    Args:
        place: where they are.
        ca: whom to trust of those that speak TLS, in PEM; None where none does.

    Raises:
        ProvisionerError: they are not in time; they run on.
    """
    if problems := _lasting_problems(place, list(place.names), ca):
        raise ProvisionerError(f"the cluster {place.name} is made, and is not whole: {problems}")


def _lasting_problems(place: DockerPlace, names: list[str], ca: str | None) -> str:
    """What is wrong after the time that a node needs to answer, and one that answers to get what it lacks."""
    deadline = time.monotonic() + SPARE_TIMEOUT_S
    while (silent := any(_silent(place, names, ca))) and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)
    if not silent:
        wait_steadily(lambda: not any(_problems(place, names, ca)), CURRENT_TIMEOUT_S)
    return "; ".join(_problems(place, names, ca))


def _silent(place: DockerPlace, names: list[str], ca: str | None) -> Iterator[str]:
    nodes = _nodes(place, ca)
    return (name for name in names if name not in nodes or not nodes[name].greets)


def _problems(place: DockerPlace, names: list[str], ca: str | None) -> Iterator[str]:
    nodes = _nodes(place, ca)
    found = ((name, nodes[name].problem if name in nodes else "has no container") for name in names)
    return (f"{name}: {problem}" for name, problem in found if problem)


def _nodes(place: DockerPlace, ca: str | None = None) -> Mapping[str, _Node]:
    """Those that there are. Where the engine answers the plugin alone: those that answer where they are to be."""
    engine = place.engine()
    if engine and engine.can_be_asked:
        return {each.name: _node(place, each, ca) for each in of_kind(CONTAINER, holdings(engine, place))}
    ports = zip(place.ports[: place.nodes], place.ports[place.nodes :], strict=True)
    nodes = {name: _Node(place.address, *pair, ca) for name, pair in zip(place.names, ports, strict=True)}
    return {name: node for name, node in nodes.items() if node.greets}


def _node(place: DockerPlace, container: Holding, ca: str | None) -> _Node:
    if not container.serves:
        return _Node(place.address, None, None)
    return _Node(place.address, _first(container, _CLIENTS), _first(container, _MONITOR), ca)


def _first(container: Holding, inner: str) -> int | None:
    return next(iter(container.published(inner)), None)
