"""A user's nkey, as `nk -gen user` makes one."""

from __future__ import annotations

import os
from typing import NamedTuple

import nkeys


class UserNkey(NamedTuple):
    """The seed, which is the user's secret, and the public key, which the server knows."""

    seed: str
    public: str


def user_nkey() -> UserNkey:
    """A new one."""
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    return UserNkey(seed.decode(), nkeys.from_seed(seed).public_key.decode())
