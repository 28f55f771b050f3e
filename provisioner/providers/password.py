"""``Password``: made once; the state keeps it as a secret.

``PasswordProvider`` is pickled by reference into the state: it keeps its name and place.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource

from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider

_BYTES: Final = 24


class PasswordProvider(Provider):
    """It has no settings, so nothing changes it: whoever wants another one replaces it."""

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """There is nothing that could differ."""
        return DiffResult(changes=False)

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make one."""
        return CreateResult("password", {**props, "password": secrets.token_urlsafe(_BYTES)})

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it was made."""
        return ReadResult(id_, props, {})


class Password(Resource, module="jetstream", name="Password"):
    """A password that nobody has chosen.

    Args:
        resource_name: the name in Pulumi's state.
        opts: Pulumi's options.

    Attributes:
        password: 32 characters of 192 random bits, a secret.
    """

    password: pulumi.Output[str]

    def __init__(self, resource_name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["password"])
        merged = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(PasswordProvider(), resource_name, {"password": None}, merged)
