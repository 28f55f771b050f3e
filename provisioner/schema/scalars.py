"""The field types without fields of their own: text, flags, numbers, sizes, times, labels."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from provisioner.schema.types import FieldPath, Report, Wire
from provisioner.text import did_you_mean
from provisioner.units import UNLIMITED, format_duration, format_size, parse_duration, parse_size

INT64: Final = 2**63 - 1
INT32: Final = 2**31 - 1
UINT64: Final = 2**64 - 1
_EXACT_IN_A_DOUBLE: Final = 2**53
_WHOLE_PERCENT: Final = 100
_FRACTION: Final = re.compile(r"\.(\d+)")
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")


class Scalar:
    """A value without parts: subclasses parse it or raise ValueError."""

    def parse(self, value: object) -> Wire:
        raise NotImplementedError

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        try:
            return self.parse(value)
        except ValueError as error:
            report(at, str(error))
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
class Member:
    """A member of an enumeration, written as its text."""

    members: type[StrEnum]

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        word = self._words.read(value, at, report)
        return None if word is None else self.members(word)

    def show(self, wire: StrEnum) -> str:
        return wire.value

    def schema(self) -> dict[str, Any]:
        return self._words.schema()

    @property
    def _words(self) -> Choice:
        return Choice(tuple(member.value for member in self.members))


@dataclass(frozen=True)
class Count(Scalar):
    """A whole number; ``limit`` ones may also be ``unlimited``, which is -1 on the wire.

    Attributes:
        zero: what a limit of 0 is on the wire.
    """

    largest: int = INT64
    limit: bool = False
    zero: int = -1

    def parse(self, value: object) -> int:
        if self.limit and _is_unlimited(value):
            return self.zero if value == 0 else -1
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
class Percent(Scalar):
    """A share of something, from 0 to 100."""

    def parse(self, value: object) -> float:
        text = str(value).removesuffix("%").strip()
        if _NUMBER.fullmatch(text) and (share := float(text)) <= _WHOLE_PERCENT:
            return int(share) if share.is_integer() else share
        raise ValueError(f"{_spelled(value)} is no share; write it like 80%")

    def show(self, wire: float) -> str:
        return f"{wire}%"

    def schema(self) -> dict[str, Any]:
        number = {"type": "number", "minimum": 0, "maximum": _WHOLE_PERCENT}
        return {"anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)? ?%?$"}, number]}


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
            raise ValueError(f"{value} is longer than 292 years, the longest possible")
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
            report(at, "is not a map of text to text; write each entry as key: value")
            return None
        return {str(key): Text().read(text, (*at, str(key)), report) for key, text in value.items()}

    def show(self, wire: Wire) -> Wire:
        return dict(wire)

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": "string"}}


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
