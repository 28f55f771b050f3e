"""What marks a stack's own things on a Docker engine: a name that no other checkout has."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

ID_FILE: Final = ".checkout-id"
_MARK_LENGTH: Final = 16


def mark(folder: Path, stack: str, *, remember: bool) -> str:
    """The stack's mark: of this checkout, in this folder.

    The state keeps the one that it began with, so a checkout that moves keeps what it has. Without a state,
    the file proves that the checkout is the same one: a clone has another, a copy is in another folder.

    Args:
        folder: the checkout.
        stack: the stack's name.
        remember: whether to write the file where there is none; a preview writes nothing.
    """
    identity = _identity(folder / ID_FILE, remember=remember)
    return hashlib.sha256(f"{identity}\n{folder}\n{stack}".encode()).hexdigest()[:_MARK_LENGTH]


def _identity(file: Path, *, remember: bool) -> str:
    identity = secrets.token_hex()
    with suppress(OSError):  # in a checkout that cannot be written to, only the state knows
        if remember and not file.exists():
            file.write_text(f"{identity}\n")
        return file.read_text().strip() or identity
    return identity
