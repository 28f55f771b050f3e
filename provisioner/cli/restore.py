"""``streams restore``: bring streams back from a backup."""

from __future__ import annotations

import argparse
from pathlib import Path

from provisioner.backup.archive import find_backups
from provisioner.backup.progress import Meter
from provisioner.backup.restore import restore
from provisioner.cli.server import connected, for_each
from provisioner.jetstream.client import JetStream
from provisioner.text import counted


def run(options: argparse.Namespace) -> int:
    """Restore the streams of a folder, all or the named ones; 1 if one of them is not restored."""
    folders = find_backups(options.folder, options.streams)
    with connected(options.url) as client:
        return for_each(folders, lambda folder: _restored(client, folder))


def _restored(client: JetStream, folder: Path) -> str:
    info = restore(client, folder, Meter().show)
    held = f"{counted(info.messages, 'message')} and {counted(info.consumers, 'consumer')}"
    return f"{info.config['name']}: {held} restored"
