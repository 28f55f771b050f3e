"""A copy on disk before messages are deleted, where the stack or the run asks for one."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from provisioner.backup.archive import backup
from provisioner.reconcile.context import Context
from provisioner.reconcile.notices import notice
from provisioner.schema.model import StreamInfo
from provisioner.text import approximate_size, counted

# A folder for one run, instead of the stack's ``backupTo``.
BACKUP_TO: Final = "STREAMS_BACKUP_TO"
_PROGRESS_PAUSE_S: Final = 5.0


def folder_for(context: Context) -> Path | None:
    """The folder for this run's copies, if there are to be any."""
    folder = os.environ.get(BACKUP_TO) or context.run.backup_to
    return Path(folder) / _name_of_run() if folder else None


def keep_copy(context: Context, info: StreamInfo) -> None:
    """Write a stream that is about to lose messages to disk; one without messages is not worth a copy.

    Raises:
        BackupError: that failed, so the messages must stay.
    """
    folder, name = folder_for(context), str(info.config["name"])
    if folder and info.messages:
        manifest = backup(context.client(), name, folder, _Progress())
        kept = f"{counted(manifest.messages, 'message')} kept in {folder / name}"
        notice(f"{name}: {kept}; to bring them back: streams restore {folder}")


class _Progress:
    """A line every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, name: str, done: int, total: int | None) -> None:
        if time.monotonic() - self._last > _PROGRESS_PAUSE_S:
            self._last = time.monotonic()
            of_all = f" of {approximate_size(total)}" if total else ""
            notice(f"{name}: backed up {approximate_size(done)}{of_all}")


@cache
def _name_of_run() -> str:
    """One folder for all copies of a run."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
