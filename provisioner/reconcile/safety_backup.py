"""A copy on disk before messages are deleted, where the stack or the run asks for one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from provisioner.backup.archive import backup
from provisioner.backup.progress import Meter
from provisioner.log import tell
from provisioner.reconcile.context import Context
from provisioner.schema.model import StreamInfo
from provisioner.text import counted

# A folder for one run, instead of the stack's ``backupTo``.
BACKUP_TO: Final = "STREAMS_BACKUP_TO"


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
        manifest = backup(context.client(), name, folder, Meter().show)
        kept = f"{counted(manifest.messages, 'message')} kept in {folder / name}"
        tell(f"{name}: {kept}; to bring them back: streams restore {folder}")


@cache
def _name_of_run() -> str:
    """One folder for all copies of a run."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
