"""What a stream holds, as those count it who use it: messages, keys and revisions, objects."""

from __future__ import annotations

from provisioner.schema.model import StreamInfo
from provisioner.schema.stores import BUCKETS, OBJECTS, kind_of
from provisioner.text import counted


def held(info: StreamInfo) -> str:
    """``4 messages``; of a bucket ``2 keys in 4 revisions``; of an object store ``2 objects in 6 messages``."""
    kind = kind_of(info.config["name"])
    entries = counted(info.messages, kind.entry if kind else "message")
    if kind is BUCKETS:
        return f"{counted(info.subjects, 'key')} in {entries}"
    if kind is OBJECTS and info.objects is not None:
        return f"{counted(info.objects, 'object')} in {entries}"
    return entries
