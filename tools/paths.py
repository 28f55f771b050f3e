"""Where things are kept, and how two runs at once keep out of each other's way."""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.subprocesses import ToolError, say

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = ROOT / ".pulumi-state"  # as `backend:` in Pulumi.yaml


def cache() -> Path:
    """Return the folder that all checkouts of one user share, made when it is missing."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prediction-streams"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pulumi_home() -> Path:
    """Return Pulumi's own folder: plugins and credentials."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def pinned(file: str, pattern: str) -> str:
    """Return what a committed file says, so that no version is written down twice.

    Raises:
        ToolError: nothing in the file matches.
    """
    found = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
    if found is None:
        raise ToolError(f"{file}: there is nothing like {pattern}")
    return found[1]


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold a lock on an existing file or folder; a second run waits for the first."""
    handle = os.open(place, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another run that is setting up the same thing")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
