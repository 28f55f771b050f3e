"""The owner's mark: which stack a stream belongs to, in its metadata, where the catalogue asks for it.

Off by default: a service that creates the same stream without the mark would be refused by the
server, which compares metadata too.
"""

from __future__ import annotations

from provisioner.model import OWNER, Config, Live, StreamSpec


def marked(spec: StreamSpec, config: Config) -> Config:
    """A configuration as it is sent for a stream."""
    if not (spec.mark_owner and spec.owner):
        return config
    return {**config, "metadata": {**config["metadata"], OWNER: spec.owner}}


def unmarked(config: Config) -> Config:
    """The same without any mark."""
    return {**config, "metadata": {key: text for key, text in config["metadata"].items() if key != OWNER}}


def ownership_problem(spec: StreamSpec, live: Live) -> str | None:
    """Another stack's mark is always in the way."""
    owner = live.config["metadata"].get(OWNER)
    if owner is None or owner == spec.owner:
        return None
    return f"{spec.name} belongs to stack {owner}; take it out of one of the two catalogues"
