"""The same work by plain nats-py, many requests at once: what the server itself needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Final

import nats
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from benchmarks.estate import Estate
from benchmarks.processes import Spent

LABEL: Final = "nats-py"
_AT_ONCE: Final = 32
_MESSAGES: Final = 10  # for each stream
_PAYLOAD: Final = 100  # bytes

Work = Callable[[JetStreamContext], Awaitable[Any]]


def spent(url: str, work: Work) -> Spent:
    """What it takes to connect, work and hang up."""
    started, used = time.perf_counter(), time.process_time()
    asyncio.run(_connected(url, work))
    return Spent(time.perf_counter() - started, time.process_time() - used)


async def create(estate: Estate, js: JetStreamContext) -> None:
    """Add every stream."""
    await _all(js.add_stream(StreamConfig(**arguments)) for arguments in estate.arguments())


async def fill(estate: Estate, js: JetStreamContext) -> None:
    """A few messages for every stream."""
    for arguments in estate.arguments():
        await _all(js.publish(arguments["subjects"][0], b"x" * _PAYLOAD) for _ in range(_MESSAGES))


async def read(estate: Estate, js: JetStreamContext) -> None:
    """Ask for every stream."""
    await _all(js.stream_info(arguments["name"]) for arguments in estate.arguments())


async def update(estate: Estate, js: JetStreamContext) -> None:
    """Change the streams that the estate has changed."""
    changed = estate.arguments()[: estate.changed]
    await _all(js.update_stream(StreamConfig(**arguments)) for arguments in changed)


async def delete(estate: Estate, js: JetStreamContext) -> None:
    """Delete every stream."""
    await _all(js.delete_stream(arguments["name"]) for arguments in estate.arguments())


async def _connected(url: str, work: Work) -> None:
    client = await nats.connect(url)
    try:
        await work(client.jetstream(timeout=30))
    finally:
        await client.close()


async def _all(requests: Iterable[Awaitable[object]]) -> None:
    turns = asyncio.Semaphore(_AT_ONCE)
    await asyncio.gather(*map(partial(_in_turn, turns), requests))


async def _in_turn(turns: asyncio.Semaphore, request: Awaitable[object]) -> None:
    async with turns:
        await request
