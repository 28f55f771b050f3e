"""A bucket's or object store's properties in Pulumi's state <-> those of the stream behind it: pure, no I/O.

The two differ in the names of fields, and in that the fields which make the stream a bucket's are not said where they
are as they should be. What else differs on a server stands under the stream's own name, so nothing is lost either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.schema.fields import BY_NAME
from provisioner.schema.stores import StoreKind, shape_of
from provisioner.schema.types import Report, read_fields

Props = Mapping[str, Any]

# What a bucket or object store is called.
BUCKET: Final = "bucket"


def in_words(kind: StoreKind, props: Props) -> dict[str, Any]:
    """The properties of a stream as those of what it is behind."""
    name = kind.named(props["name"])
    shape = _shown(shape_of(kind, name, props))
    said = {key: value for key, value in props.items() if key != "name" and not (key in shape and shape[key] == value)}
    return {BUCKET: name, **{kind.word(key) or key: value for key, value in said.items()}}


def of_stream(kind: StoreKind, props: Props) -> dict[str, Any]:
    """The properties of the stream behind a bucket or object store."""
    said = {kind.renamed.get(key, key): value for key, value in props.items() if key != BUCKET}
    shape = shape_of(kind, props[BUCKET], said)
    needed = _shown({field: value for field, value in shape.items() if value != BY_NAME[field].default})
    return {**needed, **said, "name": kind.stream_of(props[BUCKET])}


def in_streams_words(kind: StoreKind, props: Props, report: Report) -> Props:
    """The properties as a program says them with mirror and sources, which name buckets, as those of streams.

    Args:
        kind: what it is.
        props: the properties, each word known whole.
        report: hears of each value that cannot be read.
    """
    words = {field.name: props[field.name] for field in kind.fields if field.name in props}
    read = read_fields(words, kind.fields, (), report)
    stream = kind.stream_values(props[BUCKET], read)
    linked = [name for name in ("mirror", "sources") if props.get(name)]
    return {**props, **_shown({name: stream[name] for name in linked if stream[name] is not None})}


def _shown(wire: Props) -> dict[str, Any]:
    return {field: BY_NAME[field].type.show(value) for field, value in wire.items()}
