"""Backups: a stream on disk, whole and verified.

A backup of a stream is a folder of its name that holds its archive (``snapshots``) and a
manifest: what the server said of the stream, and what shows that nothing of it is missing. The
two files have the names and the form of the ``nats`` command line's, which can restore them too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from provisioner.errors import BackupError, ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.snapshots import take
from provisioner.rules.stream_names import is_asset_name

ARCHIVE: Final = "stream.tar.s2"
MANIFEST: Final = "backup.json"
_MEMORY_SINCE: Final = (2, 15, 0)

# Told of a stream's name, the bytes done, and the bytes there are where that is known.
Progress: TypeAlias = Callable[[str, int, int | None], object]


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup's manifest.

    Attributes:
        config: the stream's configuration in the server's own words.
        state: its state when the backup began, the same.
        consumers: its durable consumers, each with the sequence up to which all is acknowledged.
        removed: at most so many messages left the stream while it was written, by its limits or
            by acknowledgements, and may be missing from the archive.
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


def backup(client: JetStream, stream: str, folder: Path, progress: Progress) -> Backup:
    """Write a stream to ``folder/stream``: all of it or nothing.

    Raises:
        BackupError: with the reason; the folder is as it was.
    """
    with one_line(f"{stream}: not backed up"), _new_folder(folder, stream) as part:
        written = _write(client, stream, part, progress)
        _verify(load(part), written)
    return written


def load(folder: Path) -> Backup:
    """The manifest of a backup whose archive is there, whole and unchanged.

    Raises:
        BackupError: it is not.
    """
    with one_line(f"{folder}: is no usable backup"):
        found = _manifest(folder / MANIFEST)
        size, checksum = (folder / ARCHIVE).stat().st_size, _checksum(folder / ARCHIVE)
        if (size, checksum) != (found.bytes, found.sha256):
            raise BackupError(f"{ARCHIVE} is not what {MANIFEST} says: it was cut short or changed")
    return found


@contextmanager
def one_line(what: str) -> Iterator[None]:
    """Let a failure say what it made fail."""
    try:
        yield
    except ProvisionerError as error:
        raise BackupError(f"{what}: {error}") from error
    except OSError as error:
        raise BackupError(f"{what}: {error.filename or 'writing'}: {error.strerror}") from error


@contextmanager
def _new_folder(folder: Path, name: str) -> Iterator[Path]:
    """A folder under another name until it is complete; gone, if that never comes."""
    if not is_asset_name(name):
        raise BackupError("that is not a stream's name")
    if (folder / name).exists():
        raise BackupError(f"{folder / name} is there already; move it away, or choose another folder")
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
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


def _write(client: JetStream, stream: str, part: Path, progress: Progress) -> Backup:
    began, live = datetime.now(UTC), client.stream(stream)
    if not live:
        raise BackupError("there is no such stream on the server")
    if live.config["storage"] == "memory" and client.connection.server_version < _MEMORY_SINCE:
        raise BackupError("a server before 2.15 makes no snapshot of a stream in memory")
    before = client.ack_floors(stream)
    with _durable(part / ARCHIVE) as file:
        sink = _Sink(file, lambda size: progress(stream, size, None))
        snapshot = take(client, stream, sink.write)
    written = Backup(
        config=snapshot.config,
        state=snapshot.state,
        consumers={name: before[name] for name in client.ack_floors(stream) if name in before},
        removed=removed(snapshot.state, client.state(stream)),
        created=live.created,
        time=began.isoformat(timespec="seconds"),
        bytes=sink.size,
        sha256=sink.checksum.hexdigest(),
    )
    with _durable(part / MANIFEST) as file:
        file.write(json.dumps(asdict(written), indent=2).encode())
    return written


def removed(then: Mapping[str, Any], now: Mapping[str, Any]) -> int:
    """How many of the messages there were then are gone now: exactly, or at most where sequences were left out."""
    arrived = now["last_seq"] - then["last_seq"]
    left = max(now["messages"] - arrived, 0)
    return int(max(then["messages"] - left, 0))


def _verify(found: Backup, written: Backup) -> None:
    """What is on disk, read back, is what the server sent."""
    if found != written:
        raise BackupError(f"{MANIFEST} reads back otherwise than it was written")


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
    """A new file that is on the disk when the block ends: a stream may be deleted next."""
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


def _manifest(file: Path) -> Backup:
    try:
        found = Backup(**json.loads(file.read_bytes()))
        if is_asset_name(found.name) and found.messages >= 0:
            return found
    except (ValueError, TypeError, KeyError):
        pass
    raise BackupError(f"{MANIFEST} is not one of this program's")
