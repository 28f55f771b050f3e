"""What a stack's Docker engine says against a run, and what the stack's own things need before it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from provisioner.docker_engine.api import Engine
from provisioner.docker_engine.hardening import forget_helper
from provisioner.docker_engine.holdings import CONTAINER, VOLUME, DockerPlace, Holding, beside, holdings, of_kind
from provisioner.docker_engine.ownership import TAKE_OVER, UNMARKED, strangers, taken, whose
from provisioner.docker_engine.ports import publishers
from provisioner.errors import Conflict
from provisioner.local_server import ports
from provisioner.reconcile.verdict import Verdict

RUNNING = "running"
PAUSED = "paused"
LOOPBACK: Final = "127.0.0.1"


def docker_preflight(
    place: DockerPlace, owners: Sequence[str], *, inherits: bool, watching: Mapping[str, int] | None = None
) -> tuple[Verdict, list[str]]:
    """What is in the way of the stack's containers, network and volumes.

    Args:
        place: where they are to be.
        owners: whose marks are the stack's own, the first for what it makes.
        inherits: whether the state is of a version that marked nothing.
        watching: the port of each container that watches the streams, by its name.

    Returns:
        The verdict, and the owners from now on.
    """
    engine = place.engine()
    if engine is None:
        return Verdict(), list(owners)
    found = holdings(engine, place)
    owners = [*owners, *([UNMARKED] if inherits else [])]
    watchers = beside(engine, watching or {})
    others = strangers([*found, *watchers], owners)
    in_use = [*port_problems(engine, place, found), *_watching_problems(engine, watching or {}, watchers)]
    if others and place.name in map(str.strip, os.environ.get(TAKE_OVER, "").split(",")):
        owners = [*owners, *{holding.owner for holding in others}]
        note = f"{place.name}: taken over, {whose(others)}"
        return Verdict(tuple(in_use), (note,)), list(dict.fromkeys(owners))
    problems = [*([taken(place.name, others)] if others else []), *in_use]
    return Verdict(tuple(problems)), list(dict.fromkeys(owners))


def renamed(before: DockerPlace, now: DockerPlace) -> str:
    """Why a stack on an engine keeps its name: a container, a network and a volume cannot be renamed with it."""
    return (
        f"the stack's container, network and volume are named {before.name}, and the stack is {now.name} now: rename "
        "it back (pulumi stack rename); or move its messages: streams backup, destroy, up, streams restore"
    )


def port_problems(engine: Engine, place: DockerPlace, found: Iterable[Holding]) -> Iterator[str]:
    """Ports that something else has; those of the containers under the stack's names are its own."""
    containers = of_kind(CONTAINER, found)
    own = {port for container in containers for port in container.published_ports}
    ids = {container.id for container in containers}
    for port in place.ports:
        names = list(publishers(engine, place.address, port, ids))
        if names:
            yield f"port {port} of {place.address} is in use by container {names[0]}; stop it or choose another port"
        elif engine.is_local and port not in own and (problem := ports.in_use(place.address, port)):
            yield problem


def _watching_problems(engine: Engine, ports_of: Mapping[str, int], found: Iterable[Holding]) -> Iterator[str]:
    """The same for containers with the host's network, which publish no port."""
    own = {(holding.name, holding.said_port) for holding in found}
    for name, port in ports_of.items():
        if engine.is_local and (name, str(port)) not in own and (problem := ports.in_use(LOOPBACK, port)):
            yield problem


def container_status(place: DockerPlace) -> str:
    """``paused`` where somebody has paused a container, else what the program wants."""
    return PAUSED if any(container.is_paused for container in _containers(place)) else RUNNING


def resume(place: DockerPlace, owners: Sequence[str]) -> None:
    """Let paused containers of the stack's own go on.

    Raises:
        ProvisionerError: the engine refuses.
    """
    engine = place.engine()
    for container in _containers(place):
        if engine and container.is_paused and container.owner in owners:
            engine.change("POST", f"/containers/{container.id}/unpause")


def require_own_volumes(place: DockerPlace, owners: Sequence[str]) -> None:
    """Refuse to let volumes go that are not the stack's, and clear its own of what would hold them.

    Raises:
        Conflict: says whose they are, and what to do.
    """
    engine = place.engine()
    if engine is None:
        return
    volumes = of_kind(VOLUME, holdings(engine, place))
    if others := strangers(volumes, owners):
        raise Conflict(
            f"volume {others[0].name} is one {whose(others)}; it stays. If this stack has nothing else to take down, "
            "forget it: pulumi stack rm --force"
        )
    for volume in volumes:
        forget_helper(engine, volume.name)


def _containers(place: DockerPlace) -> list[Holding]:
    engine = place.engine()
    return of_kind(CONTAINER, holdings(engine, place)) if engine else []
