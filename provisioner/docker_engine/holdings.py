"""What an engine has under one name: a stack's container, network and volume, and whose labels they carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from provisioner.docker_engine.api import Engine, answering, hosts

# Survive the state: who made it, and from which folder, for people.
OWNER_LABEL: Final = "prediction-streams.owner"
FOLDER_LABEL: Final = "prediction-streams.folder"

CONTAINER: Final = "container"
NETWORK: Final = "network"
VOLUME: Final = "volume"
_PATHS: Final = {CONTAINER: "/containers/{}/json", NETWORK: "/networks/{}", VOLUME: "/volumes/{}"}


@dataclass(frozen=True, kw_only=True)
class DockerPlace:
    """Where a stack's server is, or is to be, on an engine.

    Attributes:
        name: the name of its container, network and volume.
        host: the engine that the settings name, if they do.
        context: the docker context that the settings name, if they do.
        address: the address its ports are published on.
        ports: those ports.
    """

    name: str
    host: str | None = None
    context: str | None = None
    address: str
    ports: Sequence[int]

    def engine(self) -> Engine | None:
        """The engine that answers there."""
        host = answering(hosts(self.host, self.context))
        return Engine(host) if host else None


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A container, a network or a volume.

    Attributes:
        kind: which of the three.
        id: the engine's own; of a volume its name.
        owner: who made it; empty where no stack says so.
        folder: the checkout it was made from, if it says so.
        detail: what the engine says of it.
    """

    kind: str
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
    def published_ports(self) -> set[int]:
        """The ports of the host that a running container has."""
        bindings = (_at(self.detail, "NetworkSettings", "Ports") or {}).values()
        return {int(binding["HostPort"]) for each in bindings for binding in each or () if binding.get("HostPort")}


def holdings(engine: Engine, name: str) -> dict[str, Holding]:
    """What there is under the name, by kind."""
    return dict(_found(engine, name))


def _found(engine: Engine, name: str) -> Iterator[tuple[str, Holding]]:
    for kind, path in _PATHS.items():
        detail = engine.get(path.format(quote(name, safe="")))
        if isinstance(detail, dict):
            yield kind, _holding(kind, detail)


def _holding(kind: str, detail: dict[str, Any]) -> Holding:
    labels = (_at(detail, "Config", "Labels") if kind == CONTAINER else detail.get("Labels")) or {}
    return Holding(
        kind=kind,
        id=str(detail.get("Id") or detail.get("Name")),
        owner=str(labels.get(OWNER_LABEL, "")),
        folder=str(labels.get(FOLDER_LABEL, "")),
        detail=detail,
    )


def _at(detail: Mapping[str, Any], key: str, inner: str) -> Any:
    return (detail.get(key) or {}).get(inner)
