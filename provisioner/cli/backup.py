"""``streams backup``: write streams to disk, or verify what is there."""

from __future__ import annotations

import argparse
from pathlib import Path

from provisioner.backup.archive import Manifest, backup, find_backups, load
from provisioner.backup.progress import Meter
from provisioner.cli.server import connected, for_each
from provisioner.errors import BackupError
from provisioner.jetstream.client import JetStream
from provisioner.text import approximate_size, counted


def run(options: argparse.Namespace) -> int:
    """Back up, or verify, the named streams or all; 1 if one of them cannot be used."""
    if options.verify:
        return for_each(find_backups(options.verify, options.streams), _verified)
    with connected(options.url) as client:
        names = options.streams or _all(client)
        return for_each(names, lambda name: _backed_up(client, name, options.to))


def _all(client: JetStream) -> list[str]:
    """Every stream of the account: those behind buckets, and the server's own, can be restored too."""
    if names := sorted(client.streams()):
        return names
    raise BackupError("the server has no streams to back up")


def _backed_up(client: JetStream, name: str, folder: Path) -> str:
    manifest = backup(client, name, folder, Meter().show)
    held = f"{counted(manifest.messages, 'message')} in {folder / name}"
    return f"{name}: {held} ({approximate_size(manifest.bytes)}){_removed(manifest)}"


def _verified(folder: Path) -> str:
    manifest = load(folder)
    held = f"{counted(manifest.messages, 'message')} and {counted(len(manifest.consumers), 'consumer')}"
    size = approximate_size(manifest.bytes)
    return f"{manifest.name}: intact: {held}, {size}, of {manifest.time}{_removed(manifest)}"


def _removed(manifest: Manifest) -> str:
    return f"; up to {manifest.removed:,} of them left the stream meanwhile" if manifest.removed else ""
