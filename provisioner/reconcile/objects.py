"""How many objects an object store has."""

from __future__ import annotations

from dataclasses import replace

from provisioner.reconcile.context import Context
from provisioner.schema.model import StreamInfo
from provisioner.schema.stores import OBJECTS, captured_by, kind_of


def with_objects(context: Context, info: StreamInfo) -> StreamInfo:
    """What a stream holds, and of an object store in how many objects: one request more, for it alone."""
    name = info.config["name"]
    if kind_of(name) is not OBJECTS or not info.messages:
        return info
    _chunks, entries = captured_by(OBJECTS, OBJECTS.named(name))
    return replace(info, objects=sum(1 for _ in context.client().per_subject(name, entries)))
