"""Generated streams: one estate as a catalogue, as no-op properties and as nats-py takes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from provisioner.catalogue.reader import parse
from provisioner.providers import properties as state
from provisioner.schema.model import OnDelete

_DAY: Final = 24 * 60 * 60  # seconds
_BYTES: Final = 1024**2


@dataclass(frozen=True)
class Estate:
    """So many streams, each like those of the project; the first ``changed`` with another max_age, in days."""

    size: int
    changed: int = 0
    days: int = 7

    def catalogue(self) -> str:
        """The text of a catalogue."""
        return "\n".join(
            f"{name}:\n  purpose: Generated for a benchmark\n  subjects: {json.dumps(subjects)}\n"
            f"  max_age: {days}d\n  max_bytes: 1MiB\n  storage: file\n  retention: limits\n"
            for name, subjects, days in self._streams()
        )

    def properties(self, url: str) -> dict[str, dict[str, Any]]:
        """What the stack keeps of each stream: resource name -> inputs and outputs."""
        server = {"url": url, "owner": "project/stack", "created": "2026-01-01T00:00:00.000000000Z"}
        specs = parse(self.catalogue(), "generated").streams
        return {spec.name: state.inputs(spec, OnDelete.DELETE) | server for spec in specs}

    def arguments(self) -> list[dict[str, Any]]:
        """StreamConfig's arguments; nats-py takes max_age in seconds."""
        return [
            {"name": name, "subjects": subjects, "max_age": days * _DAY, "max_bytes": _BYTES}
            for name, subjects, days in self._streams()
        ]

    def _streams(self) -> list[tuple[str, list[str], int]]:
        return [
            (f"STREAM_{n:04}", [f"bench.{n:04}.ohlcv", f"bench.{n:04}.news.*"], self.days if n < self.changed else 7)
            for n in range(self.size)
        ]
