"""Where things are kept, and how two runs at once keep out of each other's way."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.log import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = ROOT / ".pulumi-state"  # as `backend:` in Pulumi.yaml
# When the last up of each stack began that saves its state at its end.
STARTED = STATE / "started"


def cache() -> Path:
    """Return the folder that all checkouts of one user share; it is made when it is missing."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prediction-streams"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pulumi_home() -> Path:
    """Return Pulumi's own folder: plugins and credentials."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold a lock on an existing file or folder; a second run waits for the first."""
    handle = os.open(place, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("Waiting for another run that is setting up the same thing")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
