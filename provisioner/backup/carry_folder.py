"""Where a stream's messages are while it is carried over: a copy on disk, and a note of which stream became which.

The copy is whole before the stream is deleted and goes after its successor is whole, so at every moment
one of them is. The note is there for a run that is killed before Pulumi has written down when the
successor was created.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from provisioner.backup.archive import MANIFEST, UNFINISHED, Manifest, one_line, read_manifest
from provisioner.errors import BackupError
from provisioner.rules.restore_mark import mark_of
from provisioner.rules.same_stream import is_same
from provisioner.schema.model import StreamInfo
from provisioner.text import counted

# The environment variable that names the folder for all streams; the next run has to find it again.
CARRY_TO: Final = "STREAMS_CARRY_TO"

_DEFAULT: Final = ".carried"
# What a run asks for again and again; in a longer one the oldest is worked out anew.
_STORES: Final = 64
_STREAMS: Final = 10_000
_NOTE: Final = "renewed.json"
_CHECKOUT: Final = Path(__file__).parents[2]


def root() -> Path:
    """The folder for all streams: beside Pulumi.yaml unless CARRY_TO names another."""
    return _path(os.environ.get(CARRY_TO)) or _beside_the_program()


@cache
def _beside_the_program() -> Path:
    project = _CHECKOUT if (_CHECKOUT / "Pulumi.yaml").exists() else Path.cwd()
    return project / _DEFAULT


@cache
def _path(folder: str | None) -> Path | None:
    return Path(folder) if folder else None


def waiting_copies(stream: str) -> list[Path]:
    """The copies of streams of this name, of whatever server, that no successor has taken over."""
    return sorted(file.parent for file in root().glob(f"*/{stream}/{stream}/{MANIFEST}"))


@dataclass(frozen=True)
class CarryFolder:
    """What is on disk of one stream.

    Attributes:
        store: names the data that the stream is in, at whatever address the server is.
        stream: its name.
    """

    store: str
    stream: str

    @property
    def path(self) -> Path:
        """The stream's folder."""
        return _of_stream(root(), self.store, self.stream)

    @property
    def copy(self) -> Path:
        """The backup in it."""
        return self.path / self.stream

    def manifest(self) -> Manifest | None:
        """What the copy says of itself; None where there is none.

        Raises:
            BackupError: it cannot be read.
        """
        if not (self.copy / MANIFEST).exists():
            return None
        with one_line(f"{self.copy}: is not a usable backup"):
            return read_manifest(self.copy / MANIFEST)

    def waiting_for(self, info: StreamInfo | None) -> Manifest | None:
        """The copy that holds what the server does not: the stream is gone, or restored in part."""
        manifest = self.manifest()
        if manifest and info and not _is_part_of(info, manifest):
            return None
        return manifest

    def is_of(self, manifest: Manifest, info: StreamInfo) -> bool:
        """Whether a stream is the one that was copied, or has taken its messages over."""
        return is_same(self.current(manifest.created), info)

    def require_replaceable(self, info: StreamInfo) -> None:
        """Let no copy go but that of the stream that is there.

        Raises:
            BackupError: the copy is of another one.
        """
        manifest = self.manifest()
        if manifest and not self.is_of(manifest, info):
            what = f"{counted(manifest.messages, 'message')} of another stream of this name"
            raise BackupError(f"{self.copy} has {what}, created {manifest.created[:19]}Z: restore it or move it away")

    def drop(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self.copy, ignore_errors=True)
        self._leave()

    def drop_unfinished(self) -> None:
        """Remove what copies that were cut short have left."""
        for folder in self.path.glob(f"{UNFINISHED}*"):
            shutil.rmtree(folder, ignore_errors=True)
        self._leave()

    def move_to(self, folder: Path) -> None:
        """Keep the copy in another folder."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(self.copy, folder / self.stream)
        self._leave()

    def current(self, created: str | None) -> str | None:
        """When the stream that was created then, or the last of its successors, was created."""
        successors = self._successors()
        for _ in successors:
            created = successors.get(created or "", created)
        return created

    def has_successor(self, info: StreamInfo) -> bool:
        """Whether a stream has taken over the messages of one of this name."""
        return any(is_same(created, info) for created in self._successors().values())

    def note_successor(self, before: str, now: str) -> None:
        """Write down that the stream created then is the one created now."""
        self.path.mkdir(parents=True, exist_ok=True)
        part = self.path / f"{_NOTE}.part"
        part.write_text(json.dumps({**self._successors(), before: now}))
        part.replace(self.path / _NOTE)

    def forget_successors(self, created: str) -> None:
        """Remove the note once the state has what it says."""
        if created in (successors := self._successors()).values() and created not in successors:
            (self.path / _NOTE).unlink(missing_ok=True)
            self._leave()

    def _successors(self) -> dict[str, str]:
        with suppress(OSError, ValueError):
            note = json.loads((self.path / _NOTE).read_bytes())
            return note if isinstance(note, dict) else {}
        return {}

    def _leave(self) -> None:
        with suppress(OSError):  # something is in it
            self.path.rmdir()
            self.path.parent.rmdir()


@lru_cache(_STREAMS)
def _of_stream(root: Path, store: str, stream: str) -> Path:
    return _of_store(root, store) / stream


@lru_cache(_STORES)
def _of_store(root: Path, store: str) -> Path:
    readable = re.sub(r"[^A-Za-z0-9]+", "-", store).strip("-")[-40:]
    return root / f"{readable}-{hashlib.sha256(store.encode()).hexdigest()[:8]}"


def _is_part_of(info: StreamInfo, manifest: Manifest) -> bool:
    mark = mark_of(info.config)
    return mark is not None and mark.carries and mark.sha256 == manifest.sha256
