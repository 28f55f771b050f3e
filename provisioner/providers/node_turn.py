"""``NodeTurn``: between the containers of a cluster, so that one is replaced at a time.

``NodeTurnProvider`` is pickled by reference into the state: it keeps its name and place.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, UpdateResult

from provisioner.docker_engine.holdings import DockerPlace
from provisioner.providers.errors import one_line
from provisioner.providers.estate import docker_place
from provisioner.providers.provider import Provider
from provisioner.reconcile.docker_cluster import await_turn, await_whole

_INPUTS: Final = ("docker", "node", "runs", "ca")


class NodeTurnProvider(Provider):
    """Waits for the other nodes before what a node runs changes, or for all of them after that."""

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Whether the node is about to be replaced."""
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in _INPUTS))

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait."""
        _wait(props)
        return CreateResult(props.get("node") or "cluster", props)

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Wait."""
        _wait(_news)
        return UpdateResult(_news)


class NodeTurn(Resource, module="jetstream", name="NodeTurn"):
    """A node's turn to be replaced, or, without a node, the time at which all are whole.

    Args:
        resource_name: the name in Pulumi's state.
        docker: where the cluster is.
        node: the node's name; None for all.
        runs: what tells one container from the next.
        ca: whom to trust of those that speak TLS, in PEM; None where none does.
        opts: Pulumi's options; it has to depend on the container before.
    """

    def __init__(  # noqa: PLR0913 - each is a property of the resource
        self,
        resource_name: str,
        *,
        docker: DockerPlace,
        node: str | None,
        runs: pulumi.Input[str],
        ca: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        props = {"docker": asdict(docker), "node": node, "runs": runs} | ({"ca": ca} if ca is not None else {})
        super().__init__(NodeTurnProvider(), resource_name, props, opts)


def _wait(props: dict[str, Any]) -> None:
    place, node = docker_place(props), props.get("node")
    if place and node:
        await_turn(place, node, props.get("ca"))
    elif place:
        await_whole(place, props.get("ca"))
