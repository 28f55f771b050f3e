"""What a stream takes in: its subjects and its sources."""

from __future__ import annotations

from provisioner.rules.subjects import released
from provisioner.schema.model import StreamConfig


def closed(config: StreamConfig) -> StreamConfig:
    """The stream without subjects and sources. A mirror's messages stay with its origin; a sealed one takes none."""
    if config["mirror"] or config["sealed"]:
        return config
    return {**config, "subjects": [released(config["name"])], "sources": []}


def is_closed(config: StreamConfig) -> bool:
    """Whether a run has closed the stream and not opened it again."""
    return config["subjects"] == [released(config["name"])]
