"""Runs that save the state when they end: whether the last one came to its end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tools.paths import STARTED
from tools.subprocesses import ToolError

if TYPE_CHECKING:
    from pathlib import Path


def note_start(stack: str) -> None:
    """Note that an up begins."""
    STARTED.mkdir(parents=True, exist_ok=True)
    _note(stack).touch()


def require_finished(stack: str, last_update: str | None) -> None:
    """Refuse to destroy what the state does not know whole.

    Args:
        stack: its name.
        last_update: when Pulumi saved its state the last time, in RFC 3339; None where it never did.

    Raises:
        ToolError: the last up was killed.
    """
    note = _note(stack)
    if not note.exists() or (last_update and datetime.fromisoformat(last_update).timestamp() > note.stat().st_mtime):
        return
    raise ToolError(
        f"The last up of stack {stack} was cut short, and the state does not have what it has made: make up first, "
        f"which finds it. If it is not to be found any more: rm {note}"
    )


def _note(stack: str) -> Path:
    return STARTED / stack.replace("/", "-")
