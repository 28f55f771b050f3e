"""Everything that is wrong with a file, collected so that it can be told at once."""

from __future__ import annotations

from typing import Final

from provisioner.schema.types import FieldPath
from provisioner.text import printable

_LONGEST: Final = 300


class Diagnostics:
    """Diagnostics of one file; ``str`` is one line each, ``FILE:LINE: STREAM.field: what``."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, path: FieldPath, what: str) -> None:
        """Note what is wrong at a path of keys and list indexes; an empty path is the file itself."""
        where = "".join(_step(part) for part in path).removeprefix(".")
        self._found.append((line, f"{where}: {what}" if path else what))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __str__(self) -> str:
        in_order = dict.fromkeys(sorted(self._found, key=lambda found: found[0]))
        return "\n".join(f"{self._file}:{line}: {_one_line(text)}" for line, text in in_order)


def _step(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part or repr(part)}"


def _one_line(text: str) -> str:
    """Keys and values are the writer's: no line break or control character gets through."""
    shown = printable(text)
    middle = _LONGEST // 2
    return shown if len(shown) <= _LONGEST else f"{shown[:middle]} … {shown[-middle:]}"
