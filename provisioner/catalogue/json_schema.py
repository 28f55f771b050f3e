"""JSON schema of a catalogue, for editors: completion, descriptions, defaults."""

from __future__ import annotations

from typing import Any, Final

from provisioner.catalogue.consumers import CONSUMERS, STATED_FIELDS
from provisioner.catalogue.reader import SHARED_FIELDS, STREAM_FIELDS
from provisioner.catalogue.stores import catalogue_fields
from provisioner.catalogue.top_level import DEFAULTS, IGNORE
from provisioner.schema.stores import STORE_KINDS, StoreKind
from provisioner.schema.types import object_schema

_STREAM: Final = "#/$defs/stream"


def catalogue_schema() -> dict[str, Any]:
    """The schema, in JSON Schema's draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "JetStream streams",
        "description": "Stream name -> fields, under the names of JetStream's StreamConfig.",
        "type": "object",
        "minProperties": 1,
        "properties": {DEFAULTS: _defaults(), IGNORE: _ignore(), **{kind.key: _stores(kind) for kind in STORE_KINDS}},
        "propertyNames": {"pattern": r"^(?!KV_|OBJ_)[^\s.*>/\\]+$", "maxLength": 255},
        "additionalProperties": {"$ref": _STREAM},
        "$defs": {"stream": _stream(), "consumer": {**object_schema(STATED_FIELDS), "type": ["object", "null"]}},
    }


def _stream() -> dict[str, Any]:
    schema = object_schema(STREAM_FIELDS)
    consumers = {
        "description": "Its durable consumers: name -> fields, under the names of JetStream's ConsumerConfig.",
        "type": ["object", "null"],
        "propertyNames": {"pattern": r"^[^\s.*>/\\]+$", "maxLength": 255},
        "additionalProperties": {"$ref": "#/$defs/consumer"},
    }
    return {**schema, "properties": {**schema["properties"], CONSUMERS: consumers}, "type": ["object", "null"]}


def _defaults() -> dict[str, Any]:
    return {
        "description": "What every stream has unless it says otherwise.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {field.name: {"$ref": f"{_STREAM}/properties/{field.name}"} for field in SHARED_FIELDS},
    }


def _stores(kind: StoreKind) -> dict[str, Any]:
    return {
        "description": f"The {kind.noun}s: name -> fields.",
        "type": ["object", "null"],
        "propertyNames": {"pattern": "^[A-Za-z0-9_-]+$"},
        "additionalProperties": {**object_schema(catalogue_fields(kind)), "type": ["object", "null"]},
    }


def _ignore() -> dict[str, Any]:
    return {
        "description": "Shell patterns of streams of others, which status does not list.",
        "type": ["array", "null"],
        "items": {"type": "string", "minLength": 1},
    }
