"""``Authority``: a CA of the stack's own and the certificate of its servers, for development.

Both private keys are secrets of the state. ``AuthorityProvider`` is pickled by reference into the state: it keeps
its name and place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider
from provisioner.reconcile.context import this_run

_INPUTS: Final = ("owner", "names", "authority", "certificate")
_RENEWED_BEFORE: Final = timedelta(days=30)
# A certificate lives as long, and no longer than its authority.
_AUTHORITY_RENEWED_BEFORE: Final = timedelta(days=365)


class AuthorityProvider(Provider):
    """Makes the authority, and its successors, which those trust who trust the one before."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Take what the program says."""
        return CheckResult({key: value for key, value in news.items() if key in _INPUTS}, [])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Other names and another number are another certificate, and so is one that ends soon."""
        this_run().trust(_olds["ca"])
        differs = any(_olds.get(key) != _news.get(key) for key in (*_INPUTS, "status"))
        return DiffResult(changes=differs or ends_soon(_olds) is not None)

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make an authority, and have it sign a certificate."""
        from provisioner.certificates.succession import first  # noqa: PLC0415 - the program needs no cryptography

        return CreateResult(props["owner"], _trusted(first(props, datetime.now(UTC))))

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it was made; what ends soon is a difference, so that the plan says it."""
        this_run().trust(props["ca"])
        found = {"status": status} if (status := ends_soon(props)) else {}
        return ReadResult(id_, {**props, **found}, {key: props[key] for key in _INPUTS} | found)

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Make another certificate; another authority before it, if that is asked for or ends too soon."""
        from provisioner.certificates.succession import renewed, succeeded  # noqa: PLC0415

        follow = succeeded if _olds["authority"] != _news["authority"] or _authority_ends(_olds) else renewed
        return UpdateResult(_trusted(follow(_olds, _news, datetime.now(UTC))))


class Authority(Resource, module="jetstream", name="Authority"):
    """A CA and what it has signed.

    Args:
        resource_name: the name in Pulumi's state.
        owner: project and stack, which the certificates name.
        names: the names and addresses of the servers.
        authority: which of its CAs; another number is a new one.
        certificate: which of its certificates; another number is a new one.
        opts: Pulumi's options.

    Attributes:
        ca: what clients trust, in PEM: the authority and, if there was one, the one before.
        chain: the servers' certificate and what leads to the authority before, in PEM.
        key: its private key.
        fingerprint: the certificate's SHA-256.
    """

    ca: pulumi.Output[str]
    chain: pulumi.Output[str]
    key: pulumi.Output[str]
    fingerprint: pulumi.Output[str]

    def __init__(  # noqa: PLR0913 - each is a property of the resource
        self,
        resource_name: str,
        *,
        owner: str,
        names: Sequence[str],
        authority: int,
        certificate: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        made = dict.fromkeys(("ca", "chain", "key", "fingerprint"))
        props = {"owner": owner, "names": names, "authority": authority, "certificate": certificate, **made}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key", "authority_key"])
        super().__init__(AuthorityProvider(), resource_name, props, pulumi.ResourceOptions.merge(opts, secret))


def ends_soon(props: Mapping[str, Any]) -> str | None:
    """Why the next up makes another certificate, or another authority as well; None while both last."""
    if _authority_ends(props):
        return f"the authority ends on {props['authority_ends'][:10]}: another is made"
    if _ends_within(props["ends"], _RENEWED_BEFORE):
        return f"the certificate ends on {props['ends'][:10]}: another is made"
    return None


def _authority_ends(props: Mapping[str, Any]) -> bool:
    return _ends_within(props["authority_ends"], _AUTHORITY_RENEWED_BEFORE)


def _ends_within(end: str, time: timedelta) -> bool:
    return datetime.fromisoformat(end) < datetime.now(UTC) + time


def _trusted(made: dict[str, Any]) -> dict[str, Any]:
    this_run().trust(made["ca"])
    return made
