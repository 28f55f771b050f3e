"""The commands that move whole streams: ``backup``, ``restore`` and ``import``.

Each connects, does its work stream by stream and answers with an exit code; 1 if anything was
left undone, which is then told on standard error.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from provisioner.backup.archive import MANIFEST, backup
from provisioner.backup.restore import restore
from provisioner.catalogue.writer import catalogue_of
from provisioner.errors import BackupError, ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import target
from provisioner.text import approximate_size, counted

T = TypeVar("T")

# Seconds: for a server to answer at first; before progress is shown, and at most between two lines of it.
_TIMEOUT: Final = 3.0
_QUIET: Final = 1.0
_LONGEST_QUIET: Final = 30.0


def run_backup(names: Sequence[str], folder: Path, url: str | None) -> int:
    """Write each stream to ``folder/name``."""

    def one(client: JetStream, name: str) -> str:
        saved = backup(client, name, folder, Meter().show)
        lost = f"; up to {saved.removed:,} of them left the stream meanwhile" if saved.removed else ""
        return (
            f"{name}: {counted(saved.messages, 'message')} in {folder / name} ({approximate_size(saved.bytes)}){lost}"
        )

    with _connected(url) as client:
        return _each(names, lambda name: one(client, name))


def run_restore(folder: Path, names: Sequence[str], url: str | None) -> int:
    """Bring back the streams of a folder, all or the named ones."""

    def one(client: JetStream, backed_up: Path) -> str:
        live = restore(client, backed_up, Meter().show)
        holds = f"{counted(live.messages, 'message')} and {counted(live.consumers, 'consumer')}"
        return f"{live.config['name']}: {holds} restored"

    with _connected(url) as client:
        return _each(_backups(folder, names), lambda backed_up: one(client, backed_up))


def run_import(patterns: Sequence[str], output: Path | None, url: str | None, *, force: bool) -> int:
    """Write the catalogue of a server's streams to a file, else to standard output."""
    if output and output.exists() and not force:
        raise ProvisionerError(f"{output}: is there already; --force overwrites it")
    with _connected(url) as client:
        imported = catalogue_of(client.streams(), patterns, str(output or "catalogue"))
    _tell(*imported.notes, *imported.problems)
    if not imported.names:
        raise ProvisionerError("no stream to import")
    if output:
        _replace(output, imported.text)
        _tell(f"{output}: {counted(len(imported.names), 'stream')}")
    else:
        sys.stdout.write(imported.text)
    return 1 if imported.problems else 0


class Meter:
    """Progress on standard error: a line after a second, later ones ever more seldom."""

    def __init__(self) -> None:
        self._pause, self._told = _QUIET, time.monotonic()

    def show(self, name: str, done: int, total: int | None) -> None:
        """Tell of so many bytes, if it is time."""
        now = time.monotonic()
        if now - self._told < self._pause:
            return
        self._pause, self._told = min(2 * self._pause, _LONGEST_QUIET), now
        of_all = f" of {approximate_size(total)}" if total else ""
        _tell(f"{name}: {approximate_size(done)}{of_all} so far")


def _connected(url: str | None) -> closing[JetStream]:
    server = target(url, "", os.environ)
    return closing(JetStream(server.url, server.credentials, _TIMEOUT))


def _each(items: Iterable[T], work: Callable[[T], str]) -> int:
    """One failure does not keep the others from their turn."""
    failed = 0
    for item in items:
        try:
            sys.stdout.write(f"{work(item)}\n")
        except ProvisionerError as error:
            _tell(str(error))
            failed = 1
    return failed


def _backups(folder: Path, names: Sequence[str]) -> list[Path]:
    if names:
        return [folder / name for name in names]
    manifests = [*folder.glob(MANIFEST), *sorted(folder.glob(f"[!.]*/{MANIFEST}"))]
    if not manifests:
        raise BackupError(f"{folder}: there is no backup in it")
    return [manifest.parent for manifest in manifests]


def _replace(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ProvisionerError(f"{file}: cannot be written: {error.strerror}") from error


def _tell(*lines: str) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
