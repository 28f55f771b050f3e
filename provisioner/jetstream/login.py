"""What of a login can be checked before a server is asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from provisioner.errors import LoginRefused

_SEED: Final = re.compile(r"SU[A-Z2-7]{56}")
_BEGIN: Final = "-----BEGIN"
_CREDS: Final = re.compile(
    r"-BEGIN NATS USER JWT-+\s+\S+\s+-+END NATS USER JWT-.*-BEGIN USER NKEY SEED-+\s+SU[A-Z2-7]{56}\s+-+END", re.DOTALL
)
_LONGEST_PATH: Final = 200
_PREFIX: Final = re.compile(r"[^\s.*>]+(\.[^\s.*>]+)*")
_WAYS: Final = (("credentials",), ("user", "password"), ("token",), ("nkey",))
_TOGETHER: Final = (("user", "password"), ("cert", "key"))


def way_problems(given: Collection[str]) -> Iterator[str]:
    """What is wrong with the parts of a login that are given, whatever their values."""
    for one, other in _TOGETHER:
        if (one in given) != (other in given):
            yield f"{one} and {other}: one without the other; give both"
    ways = [" and ".join(way) for way in _WAYS if set(given) & set(way)]
    if len(ways) > 1:
        yield f"{', '.join(ways)}: more than one way to log in; keep one"


def seed(nkey: str | None) -> str | None:
    """A user's seed, given as it is or as the path of its file.

    Raises:
        LoginRefused: there is none.
    """
    if not nkey:
        return None
    if not _SEED.fullmatch(text := _text(nkey)):
        raise LoginRefused("nkey: is neither a user's seed nor a file with one; a seed begins with SU")
    return text


def creds(credentials: str | None) -> str | None:
    """The text of a .creds file, given as it is or as the file's path.

    Raises:
        LoginRefused: there is no such file, or it is none.
    """
    if not credentials:
        return None
    text = credentials if _BEGIN in credentials else _file_text(credentials)
    if not _CREDS.search(text):
        raise LoginRefused("credentials: is no .creds, which has a user's JWT and seed, each between BEGIN and END")
    return text


def require_file(what: str, path: str, kind: str) -> None:
    """Refuse a path that leads to no file; what was meant to be in the file is not repeated.

    Raises:
        LoginRefused: there is none.
    """
    try:
        found = Path(path).is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        secret = len(path) > _LONGEST_PATH or _SEED.search(path)
        raise LoginRefused(f"{what}: there is no file {'of that name' if secret else path}; give {kind}")


def _file_text(path: str) -> str:
    require_file("credentials", path, "a .creds file's path or its text")
    try:
        return Path(path).read_text(encoding="ascii")
    except PermissionError:
        raise LoginRefused(f"credentials: {path}: cannot be read: permission denied") from None
    except (OSError, ValueError):
        return ""


def inbox_prefix(prefix: str | None) -> str | None:
    """The prefix of inboxes, if there is one.

    Raises:
        LoginRefused: a subject cannot begin with it.
    """
    if prefix and not _PREFIX.fullmatch(prefix):
        raise LoginRefused(f"inbox prefix: {prefix!r} is no subject without wildcards; write it like _INBOX_ann")
    return prefix


def _text(nkey: str) -> str:
    """The text of a file, where it is the path of one."""
    try:
        return (nkey if nkey.startswith("SU") else Path(nkey).read_text(encoding="ascii")).strip()
    except (OSError, ValueError):
        return ""
