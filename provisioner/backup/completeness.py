"""Whether a stream has everything that its backup has: messages, and consumers with their acknowledgements."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from provisioner.backup.archive import Manifest
from provisioner.errors import BackupError, Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.schema.model import StreamInfo
from provisioner.units import parse_time

# In a cluster a consumer is listed once its own group has a leader: 0.1 s after the restore, or some seconds.
_ELECTION_TIMEOUT_S: Final = 15.0
_PAUSE_S: Final = 0.1


def compared(client: JetStream, manifest: Manifest, state: Mapping[str, Any]) -> StreamInfo:
    """The stream that a restore has made, if it has everything that the backup has.

    Raises:
        BackupError: what is missing.
        Unreachable: nobody can tell.
    """
    behind, info = _behind(client, manifest), client.stream(manifest.name)
    if not info:
        raise BackupError("it was deleted meanwhile")
    least = manifest.messages - manifest.removed
    if state["messages"] < least and not may_have_expired(manifest):
        raise BackupError(f"{state['messages']:,} of {least:,} messages are there")
    if behind:
        raise BackupError(f"consumers that are missing or behind: {', '.join(behind)}")
    return info


def _behind(client: JetStream, manifest: Manifest) -> list[str]:
    """Consumers that are missing, or have acknowledged less than in the backup."""
    deadline = time.monotonic() + (_ELECTION_TIMEOUT_S if client.cluster != "" else 0)
    while True:
        behind = _behind_now(client, manifest, is_last=time.monotonic() >= deadline)
        if not behind or time.monotonic() >= deadline:
            return behind
        time.sleep(_PAUSE_S)


def _behind_now(client: JetStream, manifest: Manifest, *, is_last: bool) -> list[str]:
    try:
        floors = client.ack_floors(manifest.name)
    except Unreachable:  # each consumer has a leader to elect first
        if is_last:
            raise
        floors = {}
    return sorted(name for name, floor in manifest.consumers.items() if floors.get(name, -1) < floor)


def may_have_expired(manifest: Manifest) -> bool:
    """Whether messages of the backup can have outlived their age by now."""
    age = time.time_ns() - parse_time(manifest.state["first_ts"])
    max_age = manifest.config.get("max_age", 0)
    return bool(manifest.config.get("allow_msg_ttl") or (max_age and age > max_age))
