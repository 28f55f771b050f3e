"""What an engine has under a stack's names: containers, their network and volumes, and whose labels they carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from provisioner.docker_engine.api import Engine, answering, hosts

# Survive the state: who made it, and from which folder, for people.
OWNER_LABEL: Final = "prediction-streams.owner"
FOLDER_LABEL: Final = "prediction-streams.folder"
# Of a container that has the host's network: where it listens, as the engine does not know.
PORT_LABEL: Final = "prediction-streams.port"
# Of a volume, and as lasting: how its data is encrypted, and the digest of the key.
ENCRYPTION_LABEL: Final = "prediction-streams.encryption"

CONTAINER: Final = "container"
NETWORK: Final = "network"
VOLUME: Final = "volume"
_PATHS: Final = {CONTAINER: "/containers/{}/json", NETWORK: "/networks/{}", VOLUME: "/volumes/{}"}


def node_name(name: str, index: int) -> str:
    """The name of a node: the stack's own for the first."""
    return f"{name}-{index + 1}" if index else name


@dataclass(frozen=True, kw_only=True)
class DockerPlace:
    """Where a stack's server is, or the nodes of its cluster, or are to be, on an engine.

    Attributes:
        name: the name of its container, network and volume; of a cluster, those of the first node.
        host: the engine that the settings name, if they do.
        context: the docker context that the settings name, if they do.
        address: the address its ports are published on.
        ports: those ports; of a cluster those of the clients, then those of the monitoring, in the nodes' order.
        nodes: how many containers there are, each with a volume of its name.
    """

    name: str
    host: str | None = None
    context: str | None = None
    address: str
    ports: Sequence[int]
    nodes: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """Each node's name, which its container and its volume have."""
        return tuple(node_name(self.name, index) for index in range(self.nodes))

    def engine(self) -> Engine | None:
        """The engine that answers there."""
        host = answering(hosts(self.host, self.context))
        return Engine(host) if host else None


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A container, a network or a volume.

    Attributes:
        kind: which of the three.
        name: what it is called.
        id: the engine's own; of a volume its name.
        owner: who made it; empty where no stack says so.
        folder: the checkout it was made from, if it says so.
        detail: what the engine says of it.
    """

    kind: str
    name: str
    id: str
    owner: str
    folder: str
    detail: Mapping[str, Any]

    @property
    def is_paused(self) -> bool:
        """Whether it is a container that somebody has paused."""
        return bool(_at(self.detail, "State", "Paused"))

    @property
    def serves(self) -> bool:
        """Whether it is a container whose server can be asked."""
        return bool(_at(self.detail, "State", "Running")) and not self.is_paused

    @property
    def said_port(self) -> str | None:
        """Where a running container listens that has the host's network; None where it does not say."""
        labels = _at(self.detail, "Config", "Labels") or {}
        return labels.get(PORT_LABEL) if self.serves else None

    @property
    def published_ports(self) -> set[int]:
        """The ports of the host that a running container has."""
        return {port for inner in self._bindings for port in self.published(inner)}

    def published(self, inner: str) -> list[int]:
        """The ports of the host behind which one of a running container's is, like ``8222/tcp``."""
        return [int(each["HostPort"]) for each in self._bindings.get(inner) or () if each.get("HostPort")]

    @property
    def _bindings(self) -> Mapping[str, Any]:
        return _at(self.detail, "NetworkSettings", "Ports") or {}


def holdings(engine: Engine, place: DockerPlace) -> list[Holding]:
    """What there is under the stack's names: one network, and each node's container and volume."""
    return [*_found(engine, place.name, _PATHS), *beside(engine, place.names[1:])]


def beside(engine: Engine, names: Iterable[str]) -> list[Holding]:
    """What there is under other names: each one's container and volume."""
    return [holding for name in names for holding in _found(engine, name, (CONTAINER, VOLUME))]


def of_kind(kind: str, found: Iterable[Holding]) -> list[Holding]:
    """Those of one kind."""
    return [holding for holding in found if holding.kind == kind]


def _found(engine: Engine, name: str, kinds: Iterable[str]) -> Iterator[Holding]:
    for kind in kinds:
        detail = engine.get(_PATHS[kind].format(quote(name, safe="")))
        if isinstance(detail, dict):
            yield _holding(kind, name, detail)


def _holding(kind: str, name: str, detail: dict[str, Any]) -> Holding:
    labels = (_at(detail, "Config", "Labels") if kind == CONTAINER else detail.get("Labels")) or {}
    return Holding(
        kind=kind,
        name=name,
        id=str(detail.get("Id") or detail.get("Name")),
        owner=str(labels.get(OWNER_LABEL, "")),
        folder=str(labels.get(FOLDER_LABEL, "")),
        detail=detail,
    )


def _at(detail: Mapping[str, Any], key: str, inner: str) -> Any:
    return (detail.get(key) or {}).get(inner)
