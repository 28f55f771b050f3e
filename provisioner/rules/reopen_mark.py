"""The mark of a stream that the server had not opened, and that was made again over its files.

It says when the one was created that it was, so that a run knows it for its own; and in which of the
server's starts it was made, as its consumers come back with the next one (``reconcile.unopened``).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from provisioner.rules.intake import closed
from provisioner.schema.model import StreamConfig

_REOPENS: Final = "pulumi.reopens"


class ReopenMark(NamedTuple):
    """What the mark says.

    Attributes:
        created: when the stream was created that it was.
        server_start: tells one start of the server from another.
    """

    created: str
    server_start: str


def marked(config: StreamConfig, mark: ReopenMark) -> StreamConfig:
    """A configuration as it is made again: marked, and without subjects. A sealed stream cannot be created."""
    reopening = closed({**config, "sealed": False})
    return {**reopening, "metadata": {**reopening["metadata"], _REOPENS: " ".join(mark)}}


def mark_of(config: StreamConfig) -> ReopenMark | None:
    """The mark of such a stream, until it is as it is wanted."""
    words = config["metadata"].get(_REOPENS, "").split(" ")
    return ReopenMark(*words) if len(words) == len(ReopenMark._fields) else None
