"""What is wrong with a configuration, as data: where, what, and what the verdict turns on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from provisioner.schema.model import StreamConfig
from provisioner.schema.stores import word_of
from provisioner.schema.types import FieldPath, path_text

# What decides where a stream's messages come from, and so which subjects it captures.
ORIGINS: Final[tuple[FieldPath, ...]] = (("mirror",), ("sources",))
CAPTURED: Final = (("subjects",), *ORIGINS)


def subject_path(config: StreamConfig, at: int) -> FieldPath:
    """Where a captured subject is written; the whole field where a stream captures its own name."""
    return ("subjects", at) if config["subjects"] else ("subjects",)


@dataclass(frozen=True)
class Problem:
    """Why a configuration is refused.

    Attributes:
        path: the field inside the stream, or the entry of it: ``("sources", 0, "filter_subject")``.
        what: what is wrong with it, and what to do.
        needs: the other values that the verdict turns on: with one of them different, there might be no problem.
    """

    path: FieldPath
    what: str
    needs: tuple[FieldPath, ...] = ()

    def said_of(self, stream: str) -> str:
        """The problem as ``str`` has it, in the words of the bucket or object store that the stream is behind."""
        return str(Problem((word_of(stream, str(self.path[0])), *self.path[1:]), self.what))

    def __str__(self) -> str:
        return f"{path_text(self.path)} {self.what}"

    def turns_on(self, paths: Iterable[FieldPath]) -> bool:
        """Whether the verdict could be another one if the values at these paths were."""
        return any(_touch(need, path) for path in paths for need in (self.path, *self.needs))


def _touch(one: FieldPath, other: FieldPath) -> bool:
    """Whether one path is inside the other."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]
