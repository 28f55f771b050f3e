"""What clients ask of a server, seen or answered by a client of nats-py."""

from __future__ import annotations

import threading
from asyncio import new_event_loop, run_coroutine_threadsafe
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from provisioner.jetstream.client import JetStream

_DEADLINE = 10  # seconds


@contextmanager
def recorded(client: JetStream, subject: str) -> Iterator[list[str]]:
    """The subjects of all requests that match, in order."""
    subjects: list[str] = []

    async def note(message: Msg) -> None:
        subjects.append(message.subject)

    with _subscribed(client.connection.url, subject, note):
        yield subjects


@contextmanager
def answering(url: str, subject: str, payload: bytes) -> Iterator[None]:
    """The same answer to every request that matches."""

    async def answer(message: Msg) -> None:
        await message.respond(payload)

    with _subscribed(url, subject, answer):
        yield


@contextmanager
def _subscribed(url: str, subject: str, callback: Callable[[Msg], Awaitable[None]]) -> Iterator[None]:
    loop = new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> Client:
        client = await nats.connect(url)
        await client.subscribe(subject, cb=callback)
        await client.flush()
        return client

    try:
        client = run_coroutine_threadsafe(start(), loop).result(_DEADLINE)
        try:
            yield
            run_coroutine_threadsafe(client.flush(), loop).result(_DEADLINE)
        finally:
            run_coroutine_threadsafe(client.drain(), loop).result(_DEADLINE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_DEADLINE)
        loop.close()
