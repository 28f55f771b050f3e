"""A configuration by its field table: the one place where a key is no literal.

A ``TypedDict`` cannot be indexed by a name that is known only at run time; whoever goes through
``FIELDS`` reads and writes here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamConfig
from provisioner.schema.types import Report, Wire, read_fields, show_fields


def value_of(config: StreamConfig, name: str) -> Wire:
    """The wire value of the field of this name."""
    values: Mapping[str, Wire] = config
    return values[name]


def with_fields(config: StreamConfig, values: Mapping[str, Wire]) -> StreamConfig:
    """The configuration with other wire values for some fields."""
    return cast("StreamConfig", {**config, **values})


def config_of(values: Mapping[str, Wire]) -> StreamConfig:
    """The configuration of these wire values, each other field at the server's default."""
    return cast("StreamConfig", {field.name: values.get(field.name, field.default) for field in FIELDS})


def read_config(block: Mapping[str, object], report: Report) -> StreamConfig:
    """The configuration that a catalogue or state describes; ``report`` hears of each value that cannot be read."""
    return cast("StreamConfig", read_fields(block, FIELDS, (), report))


def show_config(config: StreamConfig) -> dict[str, Wire]:
    """The canonical form of every field that differs from its default."""
    return show_fields(config, FIELDS)
