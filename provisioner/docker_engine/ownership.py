"""Whose a container, network or volume is: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from provisioner.docker_engine.holdings import CONTAINER, NETWORK, VOLUME, Holding

# One run may take over what bears these names.
TAKE_OVER: Final = "STREAMS_TAKE_OVER"
UNMARKED: Final = ""  # the owner of what was made by hand, or by a version that marked nothing
_SHOWN_ID_LENGTH: Final = 12  # as docker ps shows it
_REMOVALS: Final = {
    CONTAINER: "docker rm --force {}",
    NETWORK: "docker network rm {}",
    VOLUME: "docker volume rm {}",
}


def strangers(found: Iterable[Holding], owners: Collection[str]) -> list[Holding]:
    """What is not the stack's."""
    return [holding for holding in found if holding.owner not in owners]


def taken(name: str, others: Iterable[Holding]) -> str:
    """Whose the name is, or that of a node, and what to do; one line."""
    others = list(others)
    there = _joined(list(dict.fromkeys(holding.name for holding in others)))
    is_taken = "is taken" if len({holding.name for holding in others}) == 1 else "are taken"
    kinds = _joined([_described(holding) for holding in others])
    remedies = "; ".join(_REMOVALS[holding.kind].format(holding.name) for holding in others)
    return (
        f"server docker: the name {there} {is_taken} by {kinds}, {whose(others)}; give this stack another name, "
        f"or remove what is there ({remedies}), or take it over on purpose: {TAKE_OVER}={name} pulumi up"
    )


def whose(others: Iterable[Holding]) -> str:
    """Who made it, as far as the labels say."""
    folders = sorted({holding.folder for holding in others if holding.folder})
    if folders:
        return f"which the checkout {_joined(folders)} made, not this stack"
    return "which somebody made by hand, not this stack"


def _described(holding: Holding) -> str:
    if holding.kind == VOLUME:
        return f"a volume of {str(holding.detail.get('CreatedAt'))[:19]}"
    image = (holding.detail.get("Config") or {}).get("Image")
    return f"{holding.kind} {holding.id[:_SHOWN_ID_LENGTH]}" + (f" (image {image})" if image else "")


def _joined(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]
