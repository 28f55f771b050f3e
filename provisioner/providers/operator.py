"""``Operator``: who says what is in the account of a server of the stack's own, where its users log in with .creds.

``OperatorProvider`` is pickled by reference into the state: it keeps its name and place.
"""

from __future__ import annotations

from typing import Any, Final

import nkeys
import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource

from provisioner.providers.errors import one_line
from provisioner.providers.keys import new_seed
from provisioner.providers.provider import Provider

_ID: Final = "operator"


class OperatorProvider(Provider):
    """Makes one key, once."""

    @one_line
    def check(self, _olds: dict[str, Any], _news: dict[str, Any]) -> CheckResult:
        """The program says nothing."""
        return CheckResult({}, [])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """It stays as it was made."""
        return DiffResult(changes=False)

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the key."""
        return CreateResult(_ID, {**props, "seed": new_seed(nkeys.PREFIX_BYTE_OPERATOR)})

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it was made."""
        return ReadResult(id_, props, {})


class Operator(Resource, module="jetstream", name="Operator"):
    """The operator of a server.

    Attributes:
        seed: its secret key, which no server has.
    """

    seed: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare it under Pulumi's name."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=["seed"])
        super().__init__(OperatorProvider(), name, {"seed": None}, pulumi.ResourceOptions.merge(opts, secret))
