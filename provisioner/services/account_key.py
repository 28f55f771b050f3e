"""The public key of an account that nobody has the private key of.

A server with an operator calls an account, and the folder of its streams, by a public key. A hash of its name is one
for which no private key is known: the operator alone says what is in the account, and a stack that has lost its state
finds the same streams again.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

import nkeys

_PURPOSE: Final = "prediction-streams account"


def account_key(name: str) -> str:
    """The account's public nkey: ``A`` and 55 more characters."""
    digest = hashlib.sha256(f"{_PURPOSE} {name}".encode()).digest()
    key = bytearray((nkeys.PREFIX_BYTE_ACCOUNT, *digest))
    return base64.b32encode(key + nkeys.crc16(key).to_bytes(2, "little")).decode()
