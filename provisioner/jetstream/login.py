"""What of a login can be checked before a server is asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from provisioner.errors import LoginRefused

_SEED: Final = re.compile(r"SU[A-Z2-7]{56}")
_PREFIX: Final = re.compile(r"[^\s.*>]+(\.[^\s.*>]+)*")


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
