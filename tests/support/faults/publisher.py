"""Numbered messages with acknowledgement, published for as long as a test lasts."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from provisioner.jetstream.client import JetStream

# Seconds: between two messages to a stream, for an acknowledgement, and for one to come at all.
_PAUSE = 0.02
_ANSWER = 0.5
_DEADLINE = 30.0


@dataclass
class Publisher:
    """Publishes to one subject of each stream and remembers what the server acknowledged.

    Attributes:
        subjects: stream -> subject.
        acknowledged: stream -> number -> when it was sent, in seconds since the epoch.
    """

    url: str
    subjects: Mapping[str, str]
    acknowledged: dict[str, dict[int, float]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Publish until told to stop."""
        asyncio.run(self._run())

    def wait_for_more(self) -> None:
        """Return when each stream has acknowledged another message."""
        before = {stream: len(self.acknowledged.get(stream, ())) for stream in self.subjects}
        deadline = time.monotonic() + _DEADLINE
        while any(len(self.acknowledged.get(stream, ())) <= count for stream, count in before.items()):
            assert time.monotonic() < deadline, f"no acknowledgement; until now {before}"
            time.sleep(_PAUSE)

    def lost(self, client: JetStream) -> dict[str, list[int]]:
        """Acknowledged messages that are missing from the streams that are there, each since it was created."""
        created = {stream: _instant(live.created) for stream, live in client.streams().items()}
        missing = {stream: self.missing(client, stream, since) for stream, since in created.items()}
        return {stream: numbers for stream, numbers in missing.items() if numbers}

    def missing(self, client: JetStream, stream: str, since: float = 0.0) -> list[int]:
        """Acknowledged messages, sent at or after an instant, that a stream does not have."""
        sent = dict(self.acknowledged.get(stream, {}))
        live = client.stream(stream)
        there = asyncio.run(_stored(self.url, stream)) if live and live.messages else set()
        return [number for number, at in sent.items() if at >= since and number not in there]

    async def _run(self) -> None:
        client = Client()
        connecting = asyncio.ensure_future(_connect(client, self.url))
        number = 0
        while not self.stopped.is_set():
            number += 1
            if client.is_connected:
                await asyncio.gather(*(self._publish(client, stream, number) for stream in self.subjects))
            await asyncio.sleep(_PAUSE)
        connecting.cancel()
        await client.close()

    async def _publish(self, client: Client, stream: str, number: int) -> None:
        sent = time.time()
        try:
            answer = await client.request(self.subjects[stream], str(number).encode(), timeout=_ANSWER)
        except (NatsError, TimeoutError, OSError):
            return  # not acknowledged: nothing was promised
        if json.loads(answer.data).get("stream") == stream:
            self.acknowledged.setdefault(stream, {})[number] = sent


@contextmanager
def publishing(url: str, subjects: Mapping[str, str]) -> Iterator[Publisher]:
    """A publisher at work, whether or not there is a server yet."""
    publisher = Publisher(url, subjects)
    thread = threading.Thread(target=publisher.run, name="publisher")
    thread.start()
    try:
        yield publisher
    finally:
        publisher.stopped.set()
        thread.join(_DEADLINE)


async def _connect(client: Client, url: str) -> None:
    async def ignore(_error: Exception) -> None:
        pass

    await client.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0, connect_timeout=1, error_cb=ignore)


async def _stored(url: str, stream: str) -> set[int]:
    """The numbers in a stream."""
    connection = await nats.connect(url)
    subscription = await connection.jetstream().subscribe("", stream=stream, ordered_consumer=True)
    found, pending = set(), 1
    while pending:
        message = await subscription.next_msg(timeout=_DEADLINE)
        found.add(int(message.data))
        pending = message.metadata.num_pending
    await subscription.unsubscribe()
    await connection.close()
    return found


def _instant(created: str) -> float:
    """Seconds since the epoch, rounded up to what a float can tell."""
    whole = datetime.fromisoformat(created[:19]).replace(tzinfo=UTC).timestamp()
    return whole + float(f"0.{created[20:].rstrip('Z') or 0}")
