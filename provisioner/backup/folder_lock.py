"""One process at a time in a folder; the lock goes with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from provisioner.backup.archive import one_line
from provisioner.errors import BackupError

LOCK_TIMEOUT_S: Final = 10.0
_PAUSE_S: Final = 0.1


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, made for the purpose if it has to be, and removed if nothing is in it afterwards.

    Raises:
        BackupError: another process has held it for LOCK_TIMEOUT_S.
    """
    with one_line("its copy cannot be made"):
        descriptor = _held(folder, time.monotonic() + LOCK_TIMEOUT_S)
    try:
        yield
    finally:
        with suppress(OSError):  # something is in it
            folder.rmdir()
            folder.parent.rmdir()
        os.close(descriptor)


def _held(folder: Path, deadline: float) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        if _is_held(folder, descriptor):
            return descriptor
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise BackupError(f"another process is at work in {folder}; wait for its end")
        time.sleep(_PAUSE_S)


def _is_held(folder: Path, descriptor: int) -> bool:
    """Whether the lock could be had, and of the folder that is there now, not of one that was removed meanwhile."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_ino == folder.stat().st_ino
    except (BlockingIOError, FileNotFoundError):
        return False
