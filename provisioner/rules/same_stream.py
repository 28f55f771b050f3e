"""Whether a stream is the one that was created at a certain moment: streams have no other identity.

In a cluster the moment depends on who is asked. Of a stream that was restored, the replica that took the restore in
says when that was done, until it is started again; all others, and it after that, when it was asked for.
"""

from __future__ import annotations

from typing import Final

from provisioner.schema.model import StreamInfo
from provisioner.units import parse_time

# Between the two moments the whole stream is sent. Somebody else's stream cannot be made earlier than ours, but there
# may be another server behind the same address.
_LONGEST_RESTORE_NS: Final = 3600 * 10**9


def is_same(created: str | None, info: StreamInfo) -> bool:
    """Whether this is the stream that was created at that moment."""
    if not created or created == info.created or info.config["num_replicas"] == 1:
        return created == info.created
    return 0 <= parse_time(created) - parse_time(info.created) <= _LONGEST_RESTORE_NS


def known_as(created: str | None, info: StreamInfo) -> str:
    """The moment to remember of a stream: the latest, as whoever says that one may lead again."""
    return created if created and is_same(created, info) else info.created
