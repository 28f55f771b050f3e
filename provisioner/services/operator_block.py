"""The part of a server's configuration that trusts an operator, and what the operator says of the account.

Each user is let in by a signing key of its own, and the account's token has, with that key, what the user may do: a
changed permission needs no other .creds, and a key that is taken out ends its user and no other.
Source: github.com/nats-io/jwt v2, account_claims.go (OperatorLimits), signingkeys.go (UserScope).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import nkeys

from provisioner.catalogue.model import Catalogue
from provisioner.services.account_key import account_key
from provisioner.services.jwt import token
from provisioner.services.logins import SigningKey, require
from provisioner.services.model import Account, Services
from provisioner.services.permissions import Permissions, permissions
from provisioner.services.server_block import comments

# Nobody can log in to it: it has no signing key.
_SYSTEM: Final = "SYS"
_UNLIMITED: Final = -1
_NO_LIMITS: Final = {
    "subs": _UNLIMITED,
    "data": _UNLIMITED,
    "payload": _UNLIMITED,
    "imports": _UNLIMITED,
    "exports": _UNLIMITED,
    "wildcards": True,
    "conn": _UNLIMITED,
    "leaf": _UNLIMITED,
}
# The file's names -> the token's. A token without those of JetStream has no JetStream.
_JETSTREAM: Final = {
    "max_mem": "mem_storage",
    "max_file": "disk_storage",
    "max_streams": "streams",
    "max_consumers": "consumer",
}
_CLIENTS: Final = {"max_connections": "conn", "max_subscriptions": "subs", "max_payload": "payload"}


def operator_block(services: Services, catalogue: Catalogue, keys: Mapping[str, SigningKey], operator: str) -> str:
    """The part of a server's configuration that lets in exactly these identities, each with its .creds.

    Args:
        services: who may do what.
        catalogue: the streams that they speak of.
        keys: the signing key of each identity of ``services.purposes``.
        operator: the operator's seed, which is not in it.

    Raises:
        ServicesError: a key is missing, unusable or shared: one line each.
    """
    require(keys, services)
    allowed = permissions(services, catalogue)
    system, owner = account_key(_SYSTEM), nkeys.from_seed(operator.encode()).public_key.decode()
    trusted = token(operator, owner, "operator", {"type": "operator", "system_account": system})
    said = {
        system: token(operator, system, _SYSTEM, {"type": "account", "limits": _NO_LIMITS}),
        services.account_id: token(
            operator, services.account_id, services.account.name, _claims(services, keys, allowed)
        ),
    }
    lines = (
        *comments(services, allowed),
        f"operator: {trusted}",
        f"system_account: {system}",
        "resolver: MEMORY",
        "resolver_preload {",
        *(f"  {key}: {account}" for key, account in said.items()),
        "}",
    )
    return "\n".join((*lines, ""))


def _claims(services: Services, keys: Mapping[str, SigningKey], allowed: Mapping[str, Permissions]) -> dict[str, Any]:
    return {
        "type": "account",
        "limits": dict(_limits(services.account)),
        "signing_keys": [_scope(name, keys[name], allowed[name]) for name in allowed],
        "default_permissions": {"pub": {}, "sub": {}},
    }


def _limits(account: Account) -> Iterator[tuple[str, Any]]:
    yield from _NO_LIMITS.items()
    for ours, theirs in _JETSTREAM.items():
        yield theirs, account.limits.get(ours, _UNLIMITED)
    yield from ((theirs, account.limits[ours]) for ours, theirs in _CLIENTS.items() if ours in account.limits)


def _scope(name: str, key: SigningKey, allowed: Permissions) -> dict[str, Any]:
    """What whoever is let in by this key may do."""
    may = {"pub": {"allow": [*allowed.publish]}, "sub": {"allow": [*allowed.subscribe]}}
    any_number = {"subs": _UNLIMITED, "data": _UNLIMITED, "payload": _UNLIMITED}
    return {"kind": "user_scope", "key": key.public, "role": name, "template": {**may, **any_number}}
