"""What a field is: its name, its type, its default, and what an update may do to it.

A type knows three forms of one value: what a catalogue says (``7d``, ``10 GiB``), the wire value
(integers, nanoseconds and bytes), and the canonical form that plans and the state show (``7d``,
``10GiB``). ``read`` takes either of the outer two to the wire, ``show`` takes the wire back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeAlias

from provisioner.text import did_you_mean

# A value whose field is known only at run time; ``StreamConfig`` types those that are named.
Wire: TypeAlias = Any
FieldPath: TypeAlias = tuple[str | int, ...]
Report: TypeAlias = Callable[[FieldPath, str], None]


def path_text(path: FieldPath) -> str:
    """``sources[0].filter_subject``."""
    return "".join(_step(part) for part in path).removeprefix(".")


def _step(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part or repr(part)}"


class FieldType(Protocol):
    """The type of a value; ``read`` reports every problem and then returns None."""

    def read(self, value: object, at: FieldPath, report: Report) -> Wire: ...
    def show(self, wire: Wire) -> Wire: ...
    def schema(self) -> dict[str, Any]: ...


class Mutability(Enum):
    """What the server lets an UPDATE do to a field of a stream that exists."""

    FREE = "any change is taken in place"
    FIXED = "a change needs a new stream"
    RISES = "false to true in place, true to false needs a new stream"
    NOT_QUEUE = "limits <-> interest in place, to or from workqueue needs a new stream"
    PROMOTES = "can be removed in place, anything else needs a new stream"
    SAME_KIND = "one text to another in place, to or from none needs a new consumer"


class Carry(Enum):
    """Under which other values of a field the server restores a stream's messages."""

    ANY = "carried over"
    DEFAULT = "carried over where it goes back to its default"
    NONE = "deleted with the old stream"


@dataclass(frozen=True)
class Field:
    """One field: its wire name, type, the server's default, what an update may do to it.

    Attributes:
        change: what an UPDATE may do to it.
        carry: where that is nothing, whether the messages can be restored under its new value.
        since: the first server that has it.
    """

    name: str
    type: FieldType
    default: Wire
    doc: str
    change: Mutability = Mutability.FREE
    since: tuple[int, int] = (2, 10)
    carry: Carry = Carry.ANY


@dataclass(frozen=True)
class ListOf:
    """A list of values of one type, in order."""

    entry: FieldType

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        if not isinstance(value, list):
            report(at, "is not a list; begin each entry with a dash")
            return None
        return [self.entry.read(item, (*at, index), report) for index, item in enumerate(value)]

    def show(self, wire: Wire) -> Wire:
        return [self.entry.show(item) for item in wire]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.entry.schema()}


@dataclass(frozen=True)
class Record:
    """A block of fields of its own; the wire value holds every one of them."""

    fields: tuple[Field, ...]
    required: tuple[str, ...] = ()

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        if not isinstance(value, Mapping):
            report(at, f"is not a block with {', '.join(f.name for f in self.fields)}")
            return None
        for name in self.required:
            if name not in value:
                report(at, f"needs {name}")
        return read_fields(value, self.fields, at, report)

    def show(self, wire: Wire) -> Wire:
        return {name: wire[name] for name in self.required} | show_fields(wire, self.fields)

    def schema(self) -> dict[str, Any]:
        return object_schema(self.fields, self.required)


def read_fields(
    block: Mapping[str, object], fields: tuple[Field, ...], at: FieldPath, report: Report
) -> dict[str, Wire]:
    """Every field's wire value, the default where the block says nothing; unknown names are reported."""
    known = {field.name: field for field in fields}
    read = {field.name: field.default for field in fields}
    for key, value in block.items():
        if key not in known:
            report((*at, str(key)), f"unknown field{did_you_mean(str(key), list(known))}")
        elif value is not None:
            read[key] = known[key].type.read(value, (*at, key), report)
    return read


def show_fields(wire: Mapping[str, Wire], fields: tuple[Field, ...]) -> dict[str, Wire]:
    """The canonical form of what differs from the default."""
    return {field.name: field.type.show(wire[field.name]) for field in fields if wire[field.name] != field.default}


def object_schema(fields: tuple[Field, ...], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """JSON schema of a block of fields."""
    properties = {field.name: _property(field) for field in fields}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _property(field: Field) -> dict[str, Any]:
    schema = {**field.type.schema(), "description": field.doc}
    return schema if field.default is None else {**schema, "default": field.type.show(field.default)}
