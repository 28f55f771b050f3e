"""Backups: a stream on disk, whole and verified.

A backup of a stream is a folder of its name that holds its archive (``snapshots``) and a
manifest: what the server said of the stream, and what shows that nothing of it is missing. The
two files have the names and the form of the ``nats`` command line's, which can restore them too.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from provisioner.backup.progress import Progress
from provisioner.errors import BackupError, ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.snapshots import take
from provisioner.rules.restore_mark import partial_problem
from provisioner.rules.stream_names import is_asset_name

ARCHIVE: Final = "stream.tar.s2"
MANIFEST: Final = "backup.json"
UNFINISHED: Final = ".unfinished-"  # what the folder of a backup begins with until it is whole
_MEMORY_SNAPSHOTS_SINCE: Final = (2, 15, 0)

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        config: the stream's configuration in the server's own words.
        state: its state when the backup began, in the server's own words.
        consumers: its durable consumers, each with the sequence up to which everything is acknowledged.
        removed: the most messages that can have left the stream while it was written, by its limits
            or by acknowledgements; they may be missing from the archive.
        created: when the stream was created.
        time: when the backup began.
        bytes: size of the archive.
        sha256: its checksum.
    """

    config: Mapping[str, Any]
    state: Mapping[str, Any]
    consumers: Mapping[str, int]
    removed: int
    created: str
    time: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return str(self.config["name"])

    @property
    def messages(self) -> int:
        return int(self.state["messages"])


def backup(
    client: JetStream, stream: str, folder: Path, progress: Progress, intake: Mapping[str, Any] | None = None
) -> Manifest:
    """Write a stream to ``folder/stream``: all of it or nothing.

    Args:
        client: the server.
        stream: the stream's name.
        folder: where to.
        progress: told how far it is.
        intake: the subjects and sources that the stream has, if it has given them up for the backup.

    Raises:
        BackupError: with the reason; the folder is as it was.
    """
    _LOG.info("%s: backup to %s begins", stream, folder)
    with one_line(f"{stream}: not backed up"), _new_folder(folder, stream) as part:
        manifest = _write(client, stream, part, progress, intake or {})
        if load(part) != manifest:
            raise BackupError(f"{MANIFEST} reads back otherwise than it was written")
    _LOG.info("%s: backup complete: %d messages, %d bytes", stream, manifest.messages, manifest.bytes)
    return manifest


def load(folder: Path) -> Manifest:
    """The manifest of a backup whose archive is there, whole and unchanged.

    Raises:
        BackupError: it is not.
    """
    with one_line(f"{folder}: is not a usable backup"):
        manifest = read_manifest(folder / MANIFEST)
        size, checksum = (folder / ARCHIVE).stat().st_size, _checksum(folder / ARCHIVE)
        if (size, checksum) != (manifest.bytes, manifest.sha256):
            raise BackupError(f"{ARCHIVE} is not what {MANIFEST} says: it was cut short or changed")
    return manifest


def find_backups(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """The folders of the named backups, or of all: the folder itself and those directly in it.

    Raises:
        BackupError: there is none.
    """
    if names:
        return [folder / name for name in names]
    if folders := sorted({file.parent for pattern in ("", "[!.]*/") for file in _files(folder, pattern)}):
        return folders
    deeper = sorted({str(file.parent.parent) for file in _files(folder, "[!.]*/[!.]*/")})
    hint = f"; there are backups in {', '.join(deeper)}" if deeper else ""
    raise BackupError(f"{folder}: no backup found{hint}")


def read_manifest(file: Path) -> Manifest:
    """A manifest, as far as it can be checked without its archive.

    Raises:
        BackupError: the file is not one.
    """
    try:
        manifest = Manifest(**json.loads(file.read_bytes()))
        if is_asset_name(manifest.name) and manifest.messages >= 0:
            return manifest
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise BackupError(f"{MANIFEST} is not one of this program's")


@contextmanager
def one_line(what: str) -> Iterator[None]:
    """Begin the text of an error with what it made fail."""
    try:
        yield
    except ProvisionerError as error:
        raise BackupError(f"{what}: {error}") from error
    except OSError as error:
        raise BackupError(f"{what}: {error.filename or 'writing'}: {error.strerror}") from error


@contextmanager
def _new_folder(folder: Path, name: str) -> Iterator[Path]:
    """A folder under a temporary name until the block succeeds; removed if it fails."""
    if not is_asset_name(name):
        raise BackupError("that is not a stream's name")
    if (folder / name).exists():
        raise BackupError(f"{folder / name} already exists; move it away, or choose another folder")
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    try:
        yield part
        part.rename(folder / name)
        _fsync(folder)
    except BaseException:
        _remove(part, made)
        raise


def _remove(part: Path, made: list[Path]) -> None:
    shutil.rmtree(part, ignore_errors=True)
    with suppress(OSError):  # somebody else's files are in it by now
        for folder in made:
            folder.rmdir()


def _write(client: JetStream, stream: str, part: Path, progress: Progress, intake: Mapping[str, Any]) -> Manifest:
    began, info = datetime.now(UTC), client.stream(stream)
    if not info:
        raise BackupError("there is no such stream on the server")
    if problem := partial_problem(info):
        raise BackupError(f"the stream {problem}")
    if info.config["storage"] == "memory" and client.connection.server_version < _MEMORY_SNAPSHOTS_SINCE:
        raise BackupError("a server before 2.15 makes no snapshots of memory streams")
    floors = client.ack_floors(stream)
    with _durable(part / ARCHIVE) as file:
        sink = _Sink(file, lambda size: progress(stream, size, None))
        snapshot = take(client, stream, sink.write)
    manifest = Manifest(
        config={**snapshot.config, **intake},
        state=snapshot.state,
        consumers={name: floors[name] for name in client.ack_floors(stream) if name in floors},
        removed=most_removed(snapshot.state, client.state(stream)),
        created=info.created,
        time=began.isoformat(timespec="seconds"),
        bytes=sink.size,
        sha256=sink.checksum.hexdigest(),
    )
    with _durable(part / MANIFEST) as file:
        file.write(json.dumps(asdict(manifest), indent=2).encode())
    return manifest


def most_removed(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """The most messages that can have left between two states; exact unless sequences were skipped."""
    arrived = after["last_seq"] - before["last_seq"]
    remaining = max(after["messages"] - arrived, 0)
    return int(max(before["messages"] - remaining, 0))


class _Sink:
    """A file being written, with its size and checksum."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], object]) -> None:
        self.size, self.checksum = 0, hashlib.sha256()
        self._file, self._progress = file, progress

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.checksum.update(chunk)
        self.size += len(chunk)
        self._progress(self.size)


@contextmanager
def _durable(file: Path) -> Iterator[IO[bytes]]:
    """A new file that is on the disk when the block ends: the stream may be deleted next."""
    with file.open("xb") as opened:
        yield opened
        opened.flush()
        os.fsync(opened.fileno())


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    """Both of a backup's files: one without the other is a damaged backup, not none."""
    for name in (MANIFEST, ARCHIVE):
        yield from folder.glob(f"{pattern}{name}")
