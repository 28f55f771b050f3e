"""New nkeys."""

from __future__ import annotations

import os
from typing import Final

import nkeys

_SEED_BYTES: Final = 32


def new_seed(kind: int) -> str:
    """The seed of a new key of this kind, one of nkeys' prefixes."""
    return str(nkeys.encode_seed(os.urandom(_SEED_BYTES), kind).decode())


def public_key(seed: str) -> str:
    """The public key that belongs to a seed."""
    return str(nkeys.from_seed(seed.encode()).public_key.decode())
