"""How this program logs in to a server of the stack's own: with what the state has for the provisioner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.jetstream.target import Credentials
from provisioner.services.model import PROVISIONER, LoginKind, inbox_prefix


def own_login(props: Mapping[str, Any], secret: object) -> Credentials | None:
    """The login, if the properties are those of the provisioner's identity.

    Args:
        props: an identity's properties.
        secret: its secret, in clear.
    """
    if props.get("identity") != PROVISIONER or not isinstance(secret, str):
        return None
    own = {
        LoginKind.NKEY: {"nkey": secret},
        LoginKind.PASSWORD: {"user": PROVISIONER, "password": secret},
        LoginKind.CREDS: {"credentials": secret},
    }
    return Credentials(**own[LoginKind(props.get("login") or LoginKind.NKEY)], inbox_prefix=inbox_prefix(PROVISIONER))
