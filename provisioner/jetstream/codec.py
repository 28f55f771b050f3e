"""Configurations <-> the JSON of ``$JS.API.STREAM.*``, both directions side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamConfig, StreamInfo
from provisioner.schema.scalars import Timestamp
from provisioner.schema.types import Field, ListOf, Record, Wire

Json = Mapping[str, Any]


def to_request(config: StreamConfig) -> dict[str, Any]:
    """The body of a CREATE or UPDATE: what differs from the default, and what the API requires."""
    return {"name": config["name"], **encode(config, FIELDS)}


def from_config(body: Json, *, strict: bool = False) -> StreamConfig:
    """A server's ``config`` as a whole configuration.

    Raises:
        ValueError: with ``strict``, for a field this program does not know.
    """
    return cast("StreamConfig", decode(body, FIELDS, strict=strict))


def from_info(body: Json) -> StreamInfo:
    """The answer to INFO, CREATE or UPDATE, or an entry of LIST."""
    state = body.get("state", {})
    return StreamInfo(
        config=from_config(body["config"]),
        created=body["created"],
        messages=state.get("messages", 0),
        bytes=state.get("bytes", 0),
        first_time=state.get("first_ts", ""),
        last_time=state.get("last_ts", ""),
        consumers=state.get("consumer_count", 0),
        subjects=state.get("num_subjects", 0),
        last_sequence=state.get("last_seq", 0),
    )


def encode(values: Mapping[str, Wire], fields: tuple[Field, ...]) -> dict[str, Any]:
    """What differs from the defaults of a field table."""
    return {f.name: _encode_value(values[f.name], f) for f in fields if values[f.name] != f.default}


def _encode_value(wire: Wire, field: Field) -> Any:
    match field.type:
        case Record(fields):
            return encode(wire, fields)
        case ListOf(Record(fields)):
            return [encode(entry, fields) for entry in wire]
        case _:
            return wire


def decode(body: Json, fields: tuple[Field, ...], *, strict: bool) -> dict[str, Wire]:
    """Every field of a table, by a body of the API.

    Raises:
        ValueError: with ``strict``, for a field that the table does not have.
    """
    known = {field.name: field for field in fields}
    unknown = [name for name in body if name not in known] if strict else []
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    decoded = {field.name: field.default for field in fields}
    for name, value in body.items():
        if value is not None and name in known:
            decoded[name] = _decode_value(value, known[name], strict=strict)
    return decoded


def _decode_value(value: Any, field: Field, *, strict: bool) -> Wire:
    match field.type:
        case Record(fields):
            return decode(value, fields, strict=strict)
        case ListOf(Record(fields)):
            return [decode(entry, fields, strict=strict) for entry in value]
        case Timestamp() as timestamp:
            return timestamp.parse(value)
        case _:
            return value
