"""``Identity``: who logs in to a server of the stack's own, by an nkey whose seed the state keeps as a secret.

``IdentityProvider`` is pickled by reference into the state: it keeps its name and place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import nkeys
import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from provisioner.jetstream.target import Credentials
from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider
from provisioner.reconcile.context import this_run
from provisioner.services.model import PROVISIONER, inbox_prefix

_INPUTS: Final = ("identity", "key")
_SEED_BYTES: Final = 32


class IdentityProvider(Provider):
    """Makes keys; the provisioner's own is what this run logs in with."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Take what the program says."""
        return CheckResult({key: value for key, value in news.items() if key in _INPUTS}, [])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another number is another key."""
        _learn(_olds)
        return DiffResult(changes=any(_olds[key] != _news[key] for key in _INPUTS))

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make a key."""
        return CreateResult(props["identity"], _with_key(props))

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it was made: the server has only the public half."""
        _learn(props)
        return ReadResult(id_, props, {key: props[key] for key in _INPUTS})

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Make another key; no other identity's changes."""
        return UpdateResult(_with_key(_news))


class Identity(Resource, module="jetstream", name="Identity"):
    """A user of the server.

    Args:
        name: the identity's.
        key: which of its nkeys; another number is a new one.
        opts: Pulumi's options.

    Attributes:
        public: the public key.
        seed: the secret one.
    """

    public: pulumi.Output[str]
    seed: pulumi.Output[str]

    def __init__(self, name: str, key: int, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {"identity": name, "key": key, "public": None, "seed": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["seed"])
        super().__init__(IdentityProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


def _with_key(props: Mapping[str, Any]) -> dict[str, Any]:
    seed = nkeys.encode_seed(os.urandom(_SEED_BYTES), nkeys.PREFIX_BYTE_USER)
    made = {**props, "public": nkeys.from_seed(bytes(seed)).public_key.decode(), "seed": seed.decode()}
    _learn(made)
    return made


def _learn(props: Mapping[str, Any]) -> None:
    """Log in with it from now on, if it is the provisioner's."""
    if props["identity"] == PROVISIONER and isinstance(props.get("seed"), str):
        this_run().login = Credentials(nkey=props["seed"], inbox_prefix=inbox_prefix(PROVISIONER))
