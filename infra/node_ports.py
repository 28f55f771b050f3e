"""The ports of a cluster's nodes, which all live on one address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from infra.setting_types import MAX_PORT

PORTS: Final = ("clientPort", "monitorPort", "clusterPort")


def spread(ports: Sequence[int], nodes: int) -> tuple[int, ...]:
    """A port for each node: as they are said, or side by side from the one that is."""
    return tuple(ports) if len(ports) > 1 else tuple(range(ports[0], ports[0] + nodes))


def port_problems(settings: Mapping[str, Sequence[int]], nodes: int, others: Mapping[str, int]) -> Iterator[str]:
    """Why these ports cannot be: too few, too many, too high, or one for two things.

    Args:
        settings: those of the nodes, one or one for each.
        nodes: how many there are.
        others: of what runs beside them, there once however many nodes there are.
    """
    taken: dict[int, str] = {}
    for key, ports in settings.items():
        if len(ports) not in (1, nodes):
            yield f"{key}: {len(ports)} ports for {nodes} nodes; write the first alone, or one for each node"
        elif key != "clusterPort" or nodes > 1:
            yield from _taken_twice(key, spread(ports, nodes), taken)
    for key, port in others.items():
        yield from _taken_twice(key, (port,), taken)


def _taken_twice(key: str, ports: Sequence[int], taken: dict[int, str]) -> Iterator[str]:
    for port in ports:
        if port > MAX_PORT:
            yield f"{key}: {port} is not a port; the last is {MAX_PORT}"
        if port in taken:
            yield f"{key}: {port} is in {taken[port]} as well; each needs a port of its own"
        taken[port] = key
