"""Durations, sizes and times: text as people or servers write it <-> integer nanoseconds and bytes.

Durations and sizes are integers, nanoseconds and bytes: nats.py's float seconds turn 1.001 s into
1000999999 ns, which would be drift for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final

UNLIMITED: Final = "unlimited"

_DURATIONS: Final = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_SPOKEN_DURATIONS: Final = {**_DURATIONS, "w": 7 * _DURATIONS["d"], "µs": 1_000, "μs": 1_000}
IEC: Final = {f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGTPE", 1)}
_SI: Final = {f"{prefix}B": 1000**power for power, prefix in enumerate("kMGTPE", 1)}
_SIZES: Final = {"B": 1, "KB": 1000, **_SI, **IEC}

# A text is read again for each comparison of a run, and a catalogue has few different ones.
_REMEMBERED: Final = 1024

_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?[a-zµμ]+)+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Zµμ]+)")
_FRACTION: Final = re.compile(r"\.(\d+)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = _DURATIONS["s"]
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)")


@lru_cache(_REMEMBERED)
def parse_duration(text: str) -> int:
    """``7d``, ``1h30m``, ``500ms`` as nanoseconds.

    Raises:
        ValueError: not a duration, an unknown unit, or finer than a nanosecond.
    """
    if text == "0":
        return 0
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write it like 7d, 1h30m or 500ms")
    return sum(_exact(number, unit, _SPOKEN_DURATIONS) for number, unit in _PART.findall(text))


def format_duration(nanoseconds: int) -> str:
    """The canonical text: the fewest, largest units, days the largest (``7d``, ``1h30m``)."""
    parts = []
    for unit, scale in _DURATIONS.items():
        count, nanoseconds = divmod(nanoseconds, scale)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


@lru_cache(_REMEMBERED)
def parse_size(text: str) -> int:
    """``10GiB`` (binary), ``512MB`` (decimal) or ``1048576`` as bytes.

    Raises:
        ValueError: not a size, an unknown unit, or a fraction of a byte.
    """
    if text.isdecimal():
        return int(text)
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a size; write it like 10GiB or 512MB")
    return _exact(match[1], match[2], _SIZES)


def format_size(size: int) -> str:
    """The canonical text: the exact unit with the shortest number, binary units first."""
    exact = [(size // scale, unit) for unit, scale in {**IEC, **_SI, "B": 1}.items() if size % scale == 0]
    number, unit = min(exact, key=lambda pair: len(str(pair[0]))) if size else (0, "B")
    return f"{number}{unit}"


def parse_time(text: str) -> int:
    """An RFC 3339 time as nanoseconds since 1970; ``datetime`` alone has microseconds.

    Raises:
        ValueError: not a time, or without a time zone.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    fraction = _FRACTION.search(text)
    seconds = (instant.replace(microsecond=0) - _EPOCH) // timedelta(seconds=1)
    return seconds * _SECOND + (int(fraction[1][:9].ljust(9, "0")) if fraction else 0)


def format_time(nanoseconds: int) -> str:
    """Nanoseconds since 1970 in RFC 3339, in UTC, with nine digits."""
    seconds, fraction = divmod(nanoseconds, _SECOND)
    instant = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    return f"{instant.isoformat()}.{fraction:09}Z"


def _exact(number: str, unit: str, scales: Mapping[str, int]) -> int:
    if unit not in scales:
        raise ValueError(f"unknown unit {unit!r}; use one of {', '.join(scales)}")
    amount = Fraction(number) * scales[unit]
    if amount.denominator != 1:
        raise ValueError(f"{number}{unit} is not a whole number of the smallest unit")
    return int(amount)
