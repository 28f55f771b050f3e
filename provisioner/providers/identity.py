"""``Identity``: who logs in to a server of the stack's own, by a secret that the state keeps.

``IdentityProvider`` is pickled by reference into the state: it keeps its name and place.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import bcrypt
import nkeys
import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from provisioner.providers.errors import one_line
from provisioner.providers.keys import new_seed, public_key
from provisioner.providers.own_login import own_login
from provisioner.providers.provider import Provider
from provisioner.reconcile.context import this_run
from provisioner.services.jwt import creds, token
from provisioner.services.model import LoginKind

_INPUTS: Final = ("identity", "key", "login", "account")
_PASSWORD_BYTES: Final = 32
# nats-server hashes at every connection. Nobody can try 2**256 passwords, whatever one of them costs.
_BCRYPT_ROUNDS: Final = 4


class IdentityProvider(Provider):
    """Makes keys; the provisioner's own is what this run logs in with."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Take what the program says."""
        return CheckResult(_inputs(news), [])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another number is another key, and so is another way to log in."""
        _learn(_olds)
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in _INPUTS))

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make a key."""
        return CreateResult(props["identity"], _with_key(props))

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it was made: the server has only the public half."""
        _learn(props)
        return ReadResult(id_, props, _inputs(props))

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Make another key; no other identity's changes."""
        return UpdateResult(_with_key(_news))


class Identity(Resource, module="jetstream", name="Identity"):
    """A user of the server.

    Args:
        name: the identity's.
        key: which of its keys; another number is a new one.
        login: how it logs in.
        account: of .creds, the public key of the account that it is in.
        opts: Pulumi's options.

    Attributes:
        public: what the server is told: the public key, the password's hash, or the key by which the account lets
            it in.
        seed: the secret: the key's seed, the password, or the text of a .creds file.
    """

    public: pulumi.Output[str]
    seed: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        key: int,
        *,
        login: LoginKind = LoginKind.NKEY,
        account: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        kind = {} if login is LoginKind.NKEY else {"login": login.value}
        of = {"account": account} if account else {}
        props = {"identity": name, "key": key, **kind, **of, "public": None, "seed": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["seed"])
        super().__init__(IdentityProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


def _inputs(props: Mapping[str, Any]) -> dict[str, Any]:
    return {key: props[key] for key in _INPUTS if key in props}


def _with_key(props: Mapping[str, Any]) -> dict[str, Any]:
    public, secret = _MAKERS[LoginKind(props.get("login") or LoginKind.NKEY)](props)
    made = {**_inputs(props), "public": public, "seed": secret}
    _learn(made)
    return made


def _nkey(_props: Mapping[str, Any]) -> tuple[str, str]:
    seed = new_seed(nkeys.PREFIX_BYTE_USER)
    return public_key(seed), seed


def _password(_props: Mapping[str, Any]) -> tuple[str, str]:
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode(), password


def _creds(props: Mapping[str, Any]) -> tuple[str, str]:
    """A user that one signing key has let in; the key signs nothing else, so nobody keeps it."""
    signer, user = new_seed(nkeys.PREFIX_BYTE_ACCOUNT), new_seed(nkeys.PREFIX_BYTE_USER)
    claims = {"type": "user", "issuer_account": props["account"]}
    jwt = token(signer, public_key(user), props["identity"], claims, int(time.time()))
    return public_key(signer), creds(jwt, user)


# How an identity logs in -> what the server is told, and the secret.
_MAKERS: Final[Mapping[LoginKind, Callable[[Mapping[str, Any]], tuple[str, str]]]] = {
    LoginKind.NKEY: _nkey,
    LoginKind.PASSWORD: _password,
    LoginKind.CREDS: _creds,
}


def _learn(props: Mapping[str, Any]) -> None:
    """Log in with it from now on, if it is the provisioner's."""
    if login := own_login(props, props.get("seed")):
        this_run().login = login
