"""A copy on disk before messages are deleted, where the stack or the run asks for one."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from provisioner.backup.archive import backup
from provisioner.reconcile.session import Session
from provisioner.schema.model import StreamInfo
from provisioner.text import approximate_size, counted

# A folder for one run, instead of the stack's ``backupTo``.
BACKUP_TO: Final = "STREAMS_BACKUP_TO"
_EVERY: Final = 5.0  # seconds between two lines of progress


def wanted(session: Session) -> Path | None:
    """The folder for copies, if there are to be any."""
    folder = os.environ.get(BACKUP_TO) or session.backup_to
    return Path(folder) / _run() if folder else None


def keep_copy(session: Session, live: StreamInfo) -> None:
    """Write a stream that is about to lose messages to disk; one without messages is not worth a copy.

    Raises:
        BackupError: that failed, so the messages must stay.
    """
    folder, name = wanted(session), str(live.config["name"])
    if folder and live.messages:
        written = backup(session.client(), name, folder, _Progress())
        kept = f"{counted(written.messages, 'message')} kept in {folder / name}"
        _say(f"{name}: {kept}; python -m provisioner restore {folder}")


class _Progress:
    """A line every few seconds, under Pulumi's Diagnostics."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, name: str, done: int, total: int | None) -> None:
        if time.monotonic() - self._last > _EVERY:
            self._last = time.monotonic()
            of = f" of {approximate_size(total)}" if total else ""
            _say(f"{name}: backed up {approximate_size(done)}{of}")


@cache
def _run() -> str:
    """One folder for all copies of a run."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
