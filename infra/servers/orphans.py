"""What the engine has under the stack's name and the state may not know: it makes way for what is about to be made.

A state that was lost, or a run that was killed between making a container and noting it, leaves one behind. The
gate has refused whatever is not the stack's own, so what was there when the program began may go. The volume
is not among it: to create one that is there takes it over.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from provisioner.docker_engine.api import Engine
from provisioner.docker_engine.hardening import give_volume, limit_pids
from provisioner.docker_engine.holdings import CONTAINER, NETWORK, DockerPlace, Holding, holdings

_STOP_TIMEOUT_S = 10


@dataclass(frozen=True)
class Orphans:
    """The container and the network that were there when the program began."""

    engine: Engine | None
    container: Holding | None
    network: Holding | None

    @classmethod
    def under(cls, place: DockerPlace) -> Orphans:
        """Ask the engine."""
        engine = place.engine()
        found = holdings(engine, place.name) if engine else {}
        return cls(engine, found.get(CONTAINER), found.get(NETWORK))

    def serving(self) -> str | None:
        """The container whose server a preview can ask, whatever is planned for it."""
        return self.container.id if self.container and self.container.serves else None

    @property
    def can_act(self) -> bool:
        """Whether the engine answers not only the docker plugin."""
        return self.engine is not None and self.engine.can_be_asked

    def container_hook(self, volume: str, pids: int) -> pulumi.ResourceHookBinding:
        """Before a container is created, the state has none, and nothing writes to its volume; then it is limited."""

        def before(args: pulumi.ResourceHookArgs) -> None:
            self.clear_container()
            if self.engine and self.can_act and args.new_inputs:
                give_volume(self.engine, args.new_inputs["image"], volume)

        def after(args: pulumi.ResourceHookArgs) -> None:
            if self.engine and self.can_act:
                limit_pids(self.engine, args.id, pids)

        return pulumi.ResourceHookBinding(
            before_create=[pulumi.ResourceHook("prepare-container", before)],
            after_create=[pulumi.ResourceHook("limit-container", after)],
        )

    def network_hook(self) -> pulumi.ResourceHookBinding:
        """Before a network is created: the state has none, and so no container on it."""
        return pulumi.ResourceHookBinding(
            before_create=[pulumi.ResourceHook("clear-network", lambda _args: self.clear_network())]
        )

    def clear_container(self) -> None:
        """Stop the container and remove it."""
        if self.engine and self.container:
            if self.container.is_paused:
                self.engine.change("POST", f"/containers/{self.container.id}/unpause")
            self.engine.change("POST", f"/containers/{self.container.id}/stop?t={_STOP_TIMEOUT_S}")
            self.engine.change("DELETE", f"/containers/{self.container.id}?force=1")

    def clear_network(self) -> None:
        """Remove the network, and before it the container on it."""
        if self.engine and self.network:
            self.clear_container()
            self.engine.change("DELETE", f"/networks/{self.network.id}")
