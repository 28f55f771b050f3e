"""JSON Web Tokens as nats-server reads them, signed by an nkey.

Source: github.com/nats-io/jwt v2, claims.go (``encode``, ``hash``), header.go, creds_utils.go. The one Python library,
nats-jwt, calls itself not well tested.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import nkeys

_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}
_VERSION: Final = 2


def token(seed: str, subject: str, name: str, claims: Mapping[str, Any], issued_at: int | None = None) -> str:
    """A signed token; the same claims are the same token.

    Args:
        seed: whose signature it gets.
        subject: the public key that it is about.
        name: the same for people.
        claims: what it says, with its type.
        issued_at: seconds since 1970, if it is to say so.
    """
    signer = nkeys.from_seed(seed.encode())
    said: dict[str, Any] = {
        **({"iat": issued_at} if issued_at is not None else {}),
        "iss": signer.public_key.decode(),
        "name": name,
        "sub": subject,
        "nats": {**claims, "version": _VERSION},
    }
    identified = {"jti": _digest(said), **said}
    signed = f"{_part(_json(_HEADER))}.{_part(_json(identified))}"
    return f"{signed}.{_part(signer.sign(signed.encode()))}"


def creds(jwt: str, seed: str) -> str:
    """The text of a .creds file."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        "************************* IMPORTANT *************************\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n"
        "NKEYs are sensitive and should be treated as secrets.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n\n"
        "*************************************************************"
    )


def _digest(claims: Mapping[str, Any]) -> str:
    digest = hashlib.new("sha512_256", _json(claims)).digest()
    return base64.b32encode(digest).rstrip(b"=").decode()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
