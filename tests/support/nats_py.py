"""What a service does with nats-py's own buckets and object stores."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import nats
from nats.js.client import JetStreamContext
from nats.js.errors import ServerError

from provisioner.errors import STORE_NOT_CREATED
from tests.support.nats_server import NatsServer
from tests.support.waiting import until

T = TypeVar("T")


def at_work(server: NatsServer, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """The result of some work on a connection of its own."""

    async def connected() -> T:
        client = await nats.connect(server.url)
        try:
            return await work(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(connected())


def made_bucket(server: NatsServer, **words: Any) -> None:
    """``create_key_value``: the service makes the bucket, or finds it as it wants it."""
    _make(server, lambda js: js.create_key_value(**words))


def made_objects(server: NatsServer, bucket: str, **words: Any) -> None:
    """``create_object_store``."""
    _make(server, lambda js: js.create_object_store(bucket, **words))


def _make(server: NatsServer, make: Callable[[JetStreamContext], Awaitable[object]]) -> None:
    """Again while the server still removes the folder that the account's last stream was in."""

    def made() -> bool:
        try:
            at_work(server, make)
        except ServerError as error:
            if error.err_code != STORE_NOT_CREATED:
                raise
            return False
        return True

    until("the server has made it", made)


def put_all(server: NatsServer, bucket: str, **values: list[bytes]) -> None:
    """Put values under keys, one after the other."""

    async def work(js: JetStreamContext) -> None:
        store = await js.key_value(bucket)
        for key, each in values.items():
            for value in each:
                await store.put(key, value)

    at_work(server, work)


def put_objects(server: NatsServer, bucket: str, **objects: bytes) -> None:
    """Put objects into a store."""

    async def work(js: JetStreamContext) -> None:
        store = await js.object_store(bucket)
        for name, content in objects.items():
            await store.put(name, content)

    at_work(server, work)


def got(server: NatsServer, bucket: str, key: str) -> bytes | None:
    """The value of a key."""

    async def work(js: JetStreamContext) -> bytes | None:
        return (await (await js.key_value(bucket)).get(key)).value

    return at_work(server, work)


def got_object(server: NatsServer, bucket: str, name: str) -> bytes | None:
    """The content of an object."""

    async def work(js: JetStreamContext) -> bytes | None:
        return (await (await js.object_store(bucket)).get(name)).data

    return at_work(server, work)
