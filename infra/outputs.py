"""What a stack says of its streams, buckets and object stores when it is up: pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from infra.settings import Settings
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamSpec
from provisioner.schema.stores import kind_of, own_name, word_of
from provisioner.schema.types import show_fields


def by_kind(specs: Iterable[StreamSpec]) -> dict[str, list[StreamSpec]]:
    """The streams, and under the keys of the catalogue what there is of buckets and object stores."""
    streams: dict[str, list[StreamSpec]] = {"streams": []}
    for spec in specs:
        kind = kind_of(spec.name)
        streams.setdefault(kind.key if kind else "streams", []).append(spec)
    return streams


def summary(specs: Iterable[StreamSpec], settings: Settings) -> dict[str, Any]:
    """Each one's limits, a stream's subjects, and what a destroy does to its messages."""
    return {
        own_name(spec.name): _limits(spec) | {"on_delete": (spec.on_delete or settings.on_delete).value}
        for spec in specs
    }


def _limits(spec: StreamSpec) -> dict[str, Any]:
    kind = kind_of(spec.name)
    limits = tuple(
        field for field in FIELDS if field.name.startswith("max_") or (field.name == "subjects" and not kind)
    )
    return {word_of(spec.name, name): shown for name, shown in show_fields(spec.config, limits).items()}
