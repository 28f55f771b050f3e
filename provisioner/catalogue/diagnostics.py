"""Everything there is to say of a file, collected so that it can be said at once."""

from __future__ import annotations

from typing import Final

from provisioner.schema.types import FieldPath, path_text
from provisioner.text import printable

_LONGEST_LINE: Final = 300


class Diagnostics:
    """Diagnostics of one file; ``str`` is one line each, ``FILE:LINE: STREAM.field: what``."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._entries: list[tuple[int, str]] = []

    def add(self, line: int, path: FieldPath, what: str) -> None:
        """Note what there is to say at a path of keys and list indexes; an empty path is the file itself."""
        self._entries.append((line, f"{path_text(path)}: {what}" if path else what))

    def __bool__(self) -> bool:
        return bool(self._entries)

    def lines(self) -> tuple[str, ...]:
        """One line each, in the file's order, none twice."""
        in_order = dict.fromkeys(sorted(self._entries, key=lambda entry: entry[0]))
        return tuple(f"{self._file}:{line}: {_one_line(text)}" for line, text in in_order)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _one_line(text: str) -> str:
    """Keys and values are the writer's: no line break or control character gets through."""
    shown = printable(text)
    half = _LONGEST_LINE // 2
    return shown if len(shown) <= _LONGEST_LINE else f"{shown[:half]} … {shown[-half:]}"
