"""What clients ask of a server, seen by a subscriber."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from nats.aio.msg import Msg

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.event_loop import run


@contextmanager
def recorded(client: JetStream, subject: str) -> Iterator[list[str]]:
    """The subjects of all requests that match, in order."""
    seen: list[str] = []
    connection = client.connection._client  # noqa: SLF001 - a test looks inside

    async def note(message: Msg) -> None:
        seen.append(message.subject)

    async def start() -> object:
        subscription = await connection.subscribe(subject, cb=note)
        await connection.flush()
        return subscription

    run(start(), 5)
    yield seen
    run(connection.flush(), 5)
    run(asyncio.sleep(0), 5)
