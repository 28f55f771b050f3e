"""A copy on disk before messages are deleted, where the stack or the run asks for one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from provisioner.backup.archive import backup
from provisioner.backup.progress import Meter
from provisioner.jetstream.codec import to_request
from provisioner.log import tell
from provisioner.reconcile.context import Context
from provisioner.reconcile.intake import stopped_intake
from provisioner.schema.model import StreamConfig, StreamInfo
from provisioner.text import counted

# A folder for one run, instead of the stack's ``backupTo``.
BACKUP_TO: Final = "STREAMS_BACKUP_TO"


def folder_for(context: Context) -> Path | None:
    """The folder for this run's copies, if there are to be any."""
    folder = os.environ.get(BACKUP_TO) or context.run.backup_to
    return Path(folder) / _name_of_run() if folder else None


def keep_copy(context: Context, info: StreamInfo) -> None:
    """Write a stream that is about to lose messages to disk; one without messages is not worth a copy.

    A snapshot is taken while publishers go on, and what they add meanwhile is not in it. So the stream
    takes in nothing any more before the copy is made, and the caller changes or deletes it afterwards.

    Raises:
        ProvisionerError: that failed; the stream is as it was, and its messages must stay.
    """
    folder = folder_for(context)
    if not folder:
        return
    with stopped_intake(context, info.config):
        _copy(context, info.config, folder)


def _copy(context: Context, config: StreamConfig, folder: Path) -> None:
    name, raw = config["name"], to_request(config)
    info = context.server.current(name)
    if info and info.messages:
        intake = {key: raw.get(key) for key in ("subjects", "sources")}
        manifest = backup(context.client(), name, folder, Meter().show, intake)
        kept = f"{counted(manifest.messages, 'message')} kept in {folder / name}"
        tell(f"{name}: {kept}; to bring them back: streams restore {folder}")


@cache
def _name_of_run() -> str:
    """One folder for all copies of a run."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
