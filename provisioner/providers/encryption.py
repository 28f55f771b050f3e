"""``EncryptionKey``: what the data of a server of the stack's own is encrypted with; the state keeps it.

``EncryptionKeyProvider`` is pickled by reference into the state: it keeps its name and place.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from provisioner.errors import ProvisionerError
from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider

_ID: Final = "encryption"
_INPUTS: Final = ("given", "store")
_KEY_BYTES: Final = 32
_OTHER_KEY: Final = (
    "encryptionKey: with another key nats-server would find no stream in {store}; give the one that it has, or set "
    "another storeDir as well: STREAMS_MOVE_DATA=yes then takes the streams along; or streams backup, destroy, up, "
    "streams restore"
)


class EncryptionKeyProvider(Provider):
    """Makes a key once, or notes the one that is given; data keeps its key."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Take what the program says."""
        return CheckResult({key: news[key] for key in _INPUTS if key in news}, [])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Only other data gets another key.

        Raises:
            ProvisionerError: the same data would.
        """
        if _olds["store"] == _news["store"] and _key(_news, _olds) != _olds["key"]:
            raise ProvisionerError(_OTHER_KEY.format(store=_news["store"]))
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in _INPUTS))

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make a key, or note it."""
        return CreateResult(_ID, {**props, "key": _key(props, {})})

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it was made."""
        return ReadResult(id_, props, {key: props[key] for key in _INPUTS if key in props})

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Note another one for other data."""
        return UpdateResult({**_news, "key": _key(_news, _olds)})


class EncryptionKey(Resource, module="jetstream", name="EncryptionKey"):
    """The key of a server's data.

    Args:
        resource_name: the name in Pulumi's state.
        given: the key, where the stack is not to make one.
        store: names the data, for people too.
        opts: Pulumi's options.

    Attributes:
        key: the key, a secret.
    """

    key: pulumi.Output[str]

    def __init__(
        self, resource_name: str, given: str | None, store: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        own = {"given": pulumi.Output.secret(given)} if given else {}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["given", "key"])
        props = {**own, "store": store, "key": None}
        super().__init__(EncryptionKeyProvider(), resource_name, props, pulumi.ResourceOptions.merge(opts, secret))


def _key(news: dict[str, Any], olds: dict[str, Any]) -> str:
    return str(news.get("given") or olds.get("key") or secrets.token_hex(_KEY_BYTES))
