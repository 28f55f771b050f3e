"""What a campaign's stack is to be: its streams, and where they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

AREAS: Final = tuple("abcdefgh")
# Two subjects an area, so that a wildcard can be split between two streams.
SUBJECTS: Final = tuple(f"{area}.{half}" for area in AREAS for half in ("x", "y"))
NAMES: Final = ("ALPHA", "BETA", "GAMMA", "DELTA", "EPSILON", "ZETA")
PROCESS: Final = ("process-1", "process-2")
EXTERNAL: Final = ("external-1", "external-2")
POLICIES: Final = ("delete", "guard", "retain")
PLACES: Final = (*EXTERNAL, *PROCESS)

# A limit this small deletes messages all the time; the others are never reached.
FEW: Final = 20
_TIGHT: Final[Mapping[str, object]] = {"max_msgs": FEW, "max_bytes": "4KiB", "max_age": "3s", "max_msgs_per_subject": 5}
_ONLY_WHEN_OLD_GO: Final = frozenset(("max_msgs", "max_bytes"))


@dataclass(frozen=True)
class Stream:
    """One stream of the catalogue.

    Attributes:
        subjects: those of SUBJECTS that it captures.
        wide: whether an area of which it has both subjects is written as one wildcard.
        settings: its other fields, as a catalogue has them.
    """

    subjects: frozenset[str]
    wide: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def entry(self, name: str) -> dict[str, Any]:
        """What the catalogue says of it."""
        return {"subjects": [*self._written()] or [f"own.{name}"], **self.settings}

    def drops(self) -> bool:
        """Whether the server deletes messages of it by itself."""
        return self.settings.get("retention") == "interest" or any(
            self.settings.get(name) == value
            for name, value in _TIGHT.items()
            if name not in _ONLY_WHEN_OLD_GO or self.settings.get("discard") != "new"
        )

    def drops_by_age(self) -> bool:
        """Whether it does so as time passes."""
        return self.settings.get("max_age") == _TIGHT["max_age"]

    def in_memory(self) -> bool:
        """Whether its messages end with the server's process."""
        return self.settings.get("storage") == "memory"

    def _written(self) -> Iterable[str]:
        for area in AREAS:
            held = sorted(subject for subject in self.subjects if subject.startswith(f"{area}."))
            yield from [f"{area}.*"] if self.wide and len(held) == 2 else held


@dataclass(frozen=True)
class World:
    """What the stack's settings and its catalogue say.

    Attributes:
        streams: by name.
        place: the server, one of PLACES.
        on_delete: the stack's policy.
        shifted: whether a server of the stack's own listens on its second pair of ports.
    """

    streams: Mapping[str, Stream]
    place: str = EXTERNAL[0]
    on_delete: str = "delete"
    shifted: bool = False

    def catalogue(self) -> dict[str, dict[str, Any]]:
        """The catalogue."""
        return {name: stream.entry(name) for name, stream in self.streams.items()}

    def policy(self, name: str) -> str:
        """What deleting a stream does."""
        return str(self.streams[name].settings.get("on_delete", self.on_delete))


FIRST: Final = World(
    {
        name: Stream(frozenset(f"{area}.{half}" for area in areas for half in "xy"))
        for name, areas in {"ALPHA": "ab", "BETA": "cd", "GAMMA": "ef"}.items()
    }
)
