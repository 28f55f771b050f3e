"""An operator, an account with JetStream and a user's .creds, as a managed NATS service hands them out."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nkeys

_UNLIMITED = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1}
_JETSTREAM = {"leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}

_USER = {"subs": -1, "data": -1, "payload": -1}


@dataclass(frozen=True)
class Operator:
    """A server's configuration that trusts an operator, and the .creds of a user it knows."""

    config: str
    creds: str


def operator(
    jetstream: Mapping[str, Any] = _JETSTREAM,
    *,
    user_limits: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    lives_s: int | None = None,
) -> Operator:
    """A new one, with keys of its own.

    Args:
        jetstream: the account's limits, as a JWT has them; none by default.
        user_limits: claims of the user: ``pub`` and ``sub``, its permissions.
        defaults: the same of the account, for users without any.
        lives_s: after how many seconds the user expires.
    """
    owner = _pair(nkeys.PREFIX_BYTE_OPERATOR)
    system, account = _pair(nkeys.PREFIX_BYTE_ACCOUNT), _pair(nkeys.PREFIX_BYTE_ACCOUNT)
    user = _pair(nkeys.PREFIX_BYTE_USER)
    shared = {"default_permissions": defaults} if defaults else {}
    accounts = {
        _public(system): _signed(owner, system, {"type": "account", "limits": _UNLIMITED}),
        _public(account): _signed(owner, account, {"type": "account", "limits": {**_UNLIMITED, **jetstream}, **shared}),
    }
    preload = "\n".join(f"  {key}: {jwt}" for key, jwt in accounts.items())
    trusted = f"operator: {_signed(owner, owner, {'type': 'operator'})}\nsystem_account: {_public(system)}"
    config = f"{trusted}\nresolver: MEMORY\nresolver_preload: {{\n{preload}\n}}"
    expires = {"exp": int(time.time()) + lives_s} if lives_s else {}
    jwt = _signed(account, user, {"type": "user", **_USER, **(user_limits or {})}, expires)
    return Operator(config, _creds(jwt, user))


def _pair(kind: int) -> nkeys.KeyPair:
    return nkeys.from_seed(nkeys.encode_seed(os.urandom(32), kind))


def _public(pair: nkeys.KeyPair) -> str:
    return str(pair.public_key.decode())


def _signed(
    issuer: nkeys.KeyPair, subject: nkeys.KeyPair, claims: dict[str, Any], more: dict[str, Any] | None = None
) -> str:
    header = {"typ": "JWT", "alg": "ed25519-nkey"}
    body = {"iat": int(time.time()), "iss": _public(issuer), "sub": _public(subject), "nats": {**claims, "version": 2}}
    text = f"{_encoded(header)}.{_encoded({**body, **(more or {})})}"
    return f"{text}.{_base64(issuer.sign(text.encode()))}"


def _encoded(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _creds(jwt: str, user: nkeys.KeyPair) -> str:
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
