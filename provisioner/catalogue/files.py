"""The text of a catalogue's file."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from provisioner.errors import CatalogueError

_KINDS: Final = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def read_text(path: Path) -> str:
    """The file's text, without a byte order mark.

    Raises:
        CatalogueError: it cannot be read, is no regular file or is not UTF-8: one line.
    """
    try:
        return _content(path).decode("utf-8-sig")
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CatalogueError(f"{path}:{line}: is not UTF-8 text; save it as UTF-8") from error


def _content(path: Path) -> bytes:
    # Opening a pipe waits for its other end, unless told not to.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
        if kind != stat.S_IFREG:
            raise CatalogueError(f"{path}: is {_KINDS.get(kind, 'no file')}; a catalogue is a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)
