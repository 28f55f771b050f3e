"""What a stack's Docker engine says against a run, and what the stack's own things need before it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from provisioner.docker_engine.api import Engine
from provisioner.docker_engine.hardening import forget_helper
from provisioner.docker_engine.holdings import CONTAINER, VOLUME, DockerPlace, Holding, holdings
from provisioner.docker_engine.ownership import TAKE_OVER, UNMARKED, strangers, taken, whose
from provisioner.docker_engine.ports import publishers
from provisioner.errors import Conflict
from provisioner.local_server import ports
from provisioner.reconcile.verdict import Verdict

RUNNING = "running"
PAUSED = "paused"


def docker_preflight(place: DockerPlace, owners: Sequence[str], *, inherits: bool) -> tuple[Verdict, list[str]]:
    """What is in the way of the stack's container, network and volume.

    Args:
        place: where they are to be.
        owners: whose marks are the stack's own, the first for what it makes.
        inherits: whether the state is of a version that marked nothing.

    Returns:
        The verdict, and the owners from now on.
    """
    engine = place.engine()
    if engine is None:
        return Verdict(), list(owners)
    found = holdings(engine, place.name)
    owners = [*owners, *([UNMARKED] if inherits else [])]
    others = strangers(found, owners)
    if others and place.name in map(str.strip, os.environ.get(TAKE_OVER, "").split(",")):
        owners = [*owners, *{holding.owner for holding in others}]
        note = f"{place.name}: taken over, {whose(others)}"
        return Verdict(tuple(port_problems(engine, place, found)), (note,)), list(dict.fromkeys(owners))
    problems = [*([taken(place.name, others)] if others else []), *port_problems(engine, place, found)]
    return Verdict(tuple(problems)), list(dict.fromkeys(owners))


def renamed(before: DockerPlace, now: DockerPlace) -> str:
    """Why a stack on an engine keeps its name: a container, a network and a volume cannot be renamed with it."""
    return (
        f"the stack's container, network and volume are named {before.name}, and the stack is {now.name} now: rename "
        "it back (pulumi stack rename); or move its messages: streams backup, destroy, up, streams restore"
    )


def port_problems(engine: Engine, place: DockerPlace, found: Mapping[str, Holding]) -> Iterator[str]:
    """Ports that something else has; those of the container under the stack's name are its own."""
    container = found.get(CONTAINER)
    own = container.published_ports if container else set()
    for port in place.ports:
        names = list(publishers(engine, place.address, port, container.id if container else None))
        if names:
            yield f"port {port} of {place.address} is in use by container {names[0]}; stop it or choose another port"
        elif engine.is_local and port not in own and (problem := ports.in_use(place.address, port)):
            yield problem


def container_status(place: DockerPlace) -> str:
    """``paused`` where somebody has paused the container, else what the program wants."""
    container = _container(place)
    return PAUSED if container and container.is_paused else RUNNING


def resume(place: DockerPlace, owners: Sequence[str]) -> None:
    """Let a paused container of the stack's own go on.

    Raises:
        ProvisionerError: the engine refuses.
    """
    engine, container = place.engine(), _container(place)
    if engine and container and container.is_paused and container.owner in owners:
        engine.change("POST", f"/containers/{container.id}/unpause")


def require_own_volume(place: DockerPlace, owners: Sequence[str]) -> None:
    """Refuse to let a volume go that is not the stack's.

    Raises:
        Conflict: says whose it is, and what to do.
    """
    engine = place.engine()
    volume = holdings(engine, place.name).get(VOLUME) if engine else None
    if engine and volume and volume.owner in owners:
        forget_helper(engine, place.name)
    if volume and volume.owner not in owners:
        raise Conflict(
            f"volume {place.name} is one {whose([volume])}; it stays. If this stack has nothing else to take down, "
            "forget it: pulumi stack rm --force"
        )


def _container(place: DockerPlace) -> Holding | None:
    engine = place.engine()
    return holdings(engine, place.name).get(CONTAINER) if engine else None
