"""What a field can hold: each kind reads people's values, shows canonical ones, and has a schema.

Three forms of one value: what a catalogue says (``7d``, ``10 GiB``), the wire value (integers,
nanoseconds and bytes), and the canonical form that plans and the state show (``7d``, ``10GiB``).
``read`` takes either of the outer two to the wire, ``show`` takes the wire back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from provisioner.text import did_you_mean
from provisioner.units import UNLIMITED, format_duration, format_size, parse_duration, parse_size

if TYPE_CHECKING:
    from provisioner.schema.fields import Field

Wire: TypeAlias = Any
FieldPath: TypeAlias = tuple[str | int, ...]
Report: TypeAlias = Callable[[FieldPath, str], None]

INT64: Final = 2**63 - 1
INT32: Final = 2**31 - 1
UINT64: Final = 2**64 - 1
_EXACT_IN_A_DOUBLE: Final = 2**53
_FRACTION: Final = re.compile(r"\.(\d+)")


class Kind(Protocol):
    """A kind of value; ``read`` reports every mistake and then returns None."""

    def read(self, value: object, at: FieldPath, report: Report) -> Wire: ...
    def show(self, wire: Wire) -> Wire: ...
    def schema(self) -> dict[str, Any]: ...


class Scalar:
    """A value without parts: subclasses parse it or raise ValueError."""

    def parse(self, value: object) -> Wire:
        raise NotImplementedError

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        try:
            return self.parse(value)
        except ValueError as mistake:
            report(at, str(mistake))
            return None

    def show(self, wire: Wire) -> Wire:
        return wire


@dataclass(frozen=True)
class Text(Scalar):
    """Any text."""

    def parse(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{_spelled(value)} is not text; put it in quotes")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True)
class Flag(Scalar):
    """true or false."""

    def parse(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{_spelled(value)} is neither true nor false")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Choice(Scalar):
    """One of a few words."""

    words: tuple[str, ...]

    def parse(self, value: object) -> str:
        if value not in self.words:
            hint = did_you_mean(str(value), self.words)
            raise ValueError(f"{_spelled(value)} is not one of {', '.join(self.words)}{hint}")
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Count(Scalar):
    """A whole number; ``limit`` ones may also be ``unlimited``, which is -1 on the wire."""

    largest: int = INT64
    limit: bool = False

    def parse(self, value: object) -> int:
        if self.limit and _is_unlimited(value):
            return -1
        number = _whole(value)
        if not 0 <= number <= self.largest:
            raise ValueError(f"{value} is not between 0 and {self.largest}")
        return number

    def show(self, wire: int) -> int | str:
        if self.limit and wire == -1:
            return UNLIMITED
        return wire if wire < _EXACT_IN_A_DOUBLE else str(wire)

    def schema(self) -> dict[str, Any]:
        number = {"type": "integer", "minimum": -1 if self.limit else 0, "maximum": self.largest}
        return {"anyOf": [number, {"const": UNLIMITED}]} if self.limit else number


@dataclass(frozen=True)
class Size(Scalar):
    """Bytes, or ``unlimited`` (-1 on the wire)."""

    largest: int = INT64

    def parse(self, value: object) -> int:
        if _is_unlimited(value):
            return -1
        size = parse_size(value) if isinstance(value, str) else _whole(value)
        if not 0 <= size <= self.largest:
            raise ValueError(f"{value} is not between 0 and {self.largest} bytes")
        return size or -1

    def show(self, wire: int) -> str:
        return UNLIMITED if wire == -1 else format_size(wire)

    def schema(self) -> dict[str, Any]:
        text = {"type": "string", "pattern": r"^(unlimited|\d+(\.\d+)? ?[A-Za-z]*)$"}
        return {"anyOf": [text, {"type": "integer", "minimum": -1}]}


@dataclass(frozen=True)
class Duration(Scalar):
    """Nanoseconds; of a ``limit``, 0 is ``unlimited``."""

    limit: bool = False

    def parse(self, value: object) -> int:
        if self.limit and value == UNLIMITED:
            return 0
        if isinstance(value, (int, float)) and value != 0:
            raise ValueError(f"{_spelled(value)} has no unit; write it like 7d, 1h30m or 500ms")
        nanoseconds = parse_duration(str(value))
        if nanoseconds > INT64:
            raise ValueError(f"{value} is longer than the 292 years that fit")
        return nanoseconds

    def show(self, wire: int) -> str:
        return UNLIMITED if self.limit and not wire else format_duration(wire)

    def schema(self) -> dict[str, Any]:
        text = {"type": "string", "pattern": r"^(\d+(\.\d+)?(w|d|h|m|s|ms|us|µs|ns))+$"}
        return {"anyOf": [text, {"enum": [0, UNLIMITED] if self.limit else [0]}]}


@dataclass(frozen=True)
class Timestamp(Scalar):
    """An instant in RFC 3339, held in UTC with the digits the fraction needs."""

    def parse(self, value: object) -> str:
        text = str(value)
        try:
            instant = datetime.fromisoformat(text)
            utc = instant.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        except (ValueError, OverflowError):
            raise ValueError(f"{text!r} is not a time; write it like 2026-01-31T12:00:00Z") from None
        if instant.tzinfo is None:
            raise ValueError(f"{text!r} has no time zone; end it with Z for UTC")
        fraction = _FRACTION.search(text)
        digits = fraction[1].rstrip("0") if fraction else ""
        return f"{utc.isoformat()}{'.' if digits else ''}{digits}Z"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class Labels:
    """A map of text to text."""

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        if not isinstance(value, Mapping):
            report(at, "is not a map of text to text")
            return None
        return {str(key): Text().read(text, (*at, str(key)), report) for key, text in value.items()}

    def show(self, wire: Wire) -> Wire:
        return dict(wire)

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": "string"}}


@dataclass(frozen=True)
class ListOf:
    """A list of one kind, in order."""

    kind: Kind

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        if not isinstance(value, list):
            report(at, "is not a list; begin each entry with a dash")
            return None
        return [self.kind.read(entry, (*at, index), report) for index, entry in enumerate(value)]

    def show(self, wire: Wire) -> Wire:
        return [self.kind.show(entry) for entry in wire]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.kind.schema()}


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


def read_fields(given: Mapping[Any, Any], fields: tuple[Field, ...], at: FieldPath, report: Report) -> dict[str, Wire]:
    """Every field's wire value, the default where nothing is given; unknown names are reported."""
    names = [field.name for field in fields]
    for key in given:
        if key not in names:
            report((*at, str(key)), f"unknown field{did_you_mean(str(key), names)}")
    return {
        field.name: field.default
        if given.get(field.name) is None
        else field.kind.read(given[field.name], (*at, field.name), report)
        for field in fields
    }


def show_fields(wire: Mapping[str, Wire], fields: tuple[Field, ...]) -> dict[str, Wire]:
    """The canonical form of what differs from the default."""
    return {field.name: field.kind.show(wire[field.name]) for field in fields if wire[field.name] != field.default}


def object_schema(fields: tuple[Field, ...], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """JSON schema of a block of fields."""
    properties = {field.name: _property(field) for field in fields}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _property(field: Field) -> dict[str, Any]:
    schema = {**field.kind.schema(), "description": field.doc}
    return schema if field.default is None else {**schema, "default": field.kind.show(field.default)}


def _spelled(value: object) -> str:
    """As YAML has it: ``true``, not Python's ``True``."""
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def _is_unlimited(value: object) -> bool:
    return not isinstance(value, bool) and value in (UNLIMITED, -1, 0)


def _whole(value: object) -> int:
    """A whole number; Pulumi's state hands integers back as floats, and large ones as text."""
    exact = value.is_integer() if isinstance(value, float) else not isinstance(value, bool)
    if exact and isinstance(value, (int, float, str)):
        with suppress(ValueError):
            return int(value)
    raise ValueError(f"{_spelled(value)} is not a whole number")
