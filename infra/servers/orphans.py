"""What the engine has under the stack's names and the state may not know: it makes way for what is about to be made.

A state that was lost, or a run that was killed between making a container and noting it, leaves one behind. The
gate has refused whatever is not the stack's own, so what was there when the program began may go. The volume
is not among it: to create one that is there takes it over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pulumi

from provisioner.docker_engine.api import Engine
from provisioner.docker_engine.hardening import give_volume, limit_pids
from provisioner.docker_engine.holdings import CONTAINER, NETWORK, DockerPlace, Holding, beside, holdings, of_kind

_STOP_TIMEOUT_S = 10


@dataclass(frozen=True)
class Orphans:
    """The containers and the network that were there when the program began."""

    engine: Engine | None
    nodes: int
    containers: tuple[Holding, ...]
    network: Holding | None

    @classmethod
    def under(cls, place: DockerPlace) -> Orphans:
        """Ask the engine."""
        engine = place.engine()
        found = holdings(engine, place) if engine else []
        network = next(iter(of_kind(NETWORK, found)), None)
        return cls(engine, place.nodes, tuple(of_kind(CONTAINER, found)), network)

    @classmethod
    def beside(cls, place: DockerPlace, names: Iterable[str]) -> Orphans:
        """The same for containers of other names."""
        engine = place.engine()
        found = beside(engine, names) if engine else []
        return cls(engine, place.nodes, tuple(of_kind(CONTAINER, found)), None)

    def serving(self) -> str | None:
        """The containers that a preview can ask, whatever is planned for them; None without a majority."""
        serving = [container.id for container in self.containers if container.serves]
        return ",".join(serving) if len(serving) > self.nodes / 2 else None

    @property
    def can_act(self) -> bool:
        """Whether the engine answers not only the docker plugin."""
        return self.engine is not None and self.engine.can_be_asked

    def container_hook(self, name: str, pids: int, *, owns_volume: bool = True) -> pulumi.ResourceHookBinding:
        """Before a container is created, the state has none, and nothing writes to its volume; then it is limited.

        Args:
            name: the container's, and its volume's.
            pids: how many processes and threads it may have.
            owns_volume: whether the volume is given to a user whom its image does not know.
        """

        def before(args: pulumi.ResourceHookArgs) -> None:
            self.clear_containers(name)
            if owns_volume and self.engine and self.can_act and args.new_inputs:
                give_volume(self.engine, args.new_inputs["image"], name)

        def after(args: pulumi.ResourceHookArgs) -> None:
            if self.engine and self.can_act:
                limit_pids(self.engine, args.id, pids)

        return pulumi.ResourceHookBinding(
            before_create=[pulumi.ResourceHook(f"prepare-{name}", before)],
            after_create=[pulumi.ResourceHook(f"limit-{name}", after)],
        )

    def network_hook(self) -> pulumi.ResourceHookBinding:
        """Before a network is created: the state has none, and so no container on it."""
        return pulumi.ResourceHookBinding(
            before_create=[pulumi.ResourceHook("clear-network", lambda _args: self.clear_network())]
        )

    def clear_containers(self, *names: str) -> None:
        """Stop the containers of these names and remove them."""
        for container in self.containers:
            if self.engine and container.name in names:
                _remove(self.engine, container)

    def clear_network(self) -> None:
        """Remove the network, and before it the containers on it."""
        if self.engine and self.network:
            self.clear_containers(*(container.name for container in self.containers))
            self.engine.change("DELETE", f"/networks/{self.network.id}")


def _remove(engine: Engine, container: Holding) -> None:
    if container.is_paused:
        engine.change("POST", f"/containers/{container.id}/unpause")
    engine.change("POST", f"/containers/{container.id}/stop?t={_STOP_TIMEOUT_S}")
    engine.change("DELETE", f"/containers/{container.id}?force=1")
