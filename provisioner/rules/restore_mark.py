"""The mark of a stream that is being restored: from which copy, and how much it is to hold.

nats-server opens a stream as soon as its restore begins, and keeps the part it has when the restore
is cut short. So a stream is restored without its subjects and with this mark in its metadata, and
the last request of the restore takes both back (``backup.restore``).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from provisioner.rules.subjects import released
from provisioner.schema.model import StreamConfig, StreamInfo
from provisioner.text import counted

# Metadata that says that a stream is not whole yet.
RESTORING: Final = "pulumi.restoring"


@dataclass(frozen=True, kw_only=True)
class RestoreMark:
    """What a restore says of itself on its stream.

    Attributes:
        copy: the folder of the backup.
        sha256: the checksum of its archive, which tells it from other backups.
        messages: how many the backup holds.
        restore: tells one restore from another.
        carries: whether an up does it, to carry a stream over.
    """

    copy: str
    sha256: str
    messages: int
    restore: str
    carries: bool = False

    @property
    def command(self) -> str:
        """What completes the stream."""
        return "pulumi up" if self.carries else f"streams restore {shlex.quote(self.copy)}"


def marked(config: Mapping[str, Any], mark: RestoreMark) -> dict[str, Any]:
    """A raw configuration as it is restored: marked, and closed to publishers and sources.

    A mirror has no subjects and its origin cannot be set later; a sealed stream takes no messages.
    """
    metadata = {**(config.get("metadata") or {}), RESTORING: json.dumps(asdict(mark))}
    open_ = config.get("mirror") or config.get("sealed")
    closed = {} if open_ else {"subjects": [released(config["name"])], "sources": None}
    return {**config, **closed, "metadata": metadata}


def mark_of(config: StreamConfig) -> RestoreMark | None:
    """The mark of a stream that is not whole; None for every other, and for a mark of somebody else's."""
    try:
        return RestoreMark(**json.loads(config["metadata"].get(RESTORING, "null")))
    except (ValueError, TypeError, RecursionError):
        return None


def part_held(info: StreamInfo, mark: RestoreMark) -> str:
    """How much of its backup a stream holds."""
    return f"restored {info.messages:,} of {counted(mark.messages, 'message')}"


def partial_problem(info: StreamInfo) -> str | None:
    """Why a stream may not be taken over, changed or copied: a part of it is missing."""
    if not (mark := mark_of(info.config)):
        return None
    return f"is partial: {part_held(info, mark)}; run {mark.command}, or delete the stream"
