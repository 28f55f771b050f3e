"""A publisher at full speed: many messages on their way at once, each acknowledgement noted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

_AT_ONCE = 50
_BATCH = 2_000
_ANSWER_S = 2.0
_PAUSE_S = 0.002  # without a stream the answers come at once, and other processes need the machine too
_DEADLINE_S = 60.0


@dataclass
class Flood:
    """Publishes numbers to one subject.

    Attributes:
        options: nats-py's, to connect with.
        acknowledged: the numbers that a stream has acknowledged.
        disconnections: how often it lost its server.
        longest_gap: seconds between two acknowledgements, at most.
    """

    url: str
    subject: str
    options: Mapping[str, Any] = field(default_factory=dict)
    disconnections: int = 0
    longest_gap: float = 0.0
    acknowledged: set[int] = field(default_factory=set)
    stopped: threading.Event = field(default_factory=threading.Event)
    _last: float = 0.0

    def wait_for_more(self) -> None:
        """Return when another batch has been acknowledged."""
        self.wait_for(len(self.acknowledged) + _AT_ONCE)

    def run(self) -> None:
        """Publish until told to stop."""
        asyncio.run(self._run())

    def wait_for(self, count: int) -> None:
        """Return when so many messages have been acknowledged."""
        deadline = time.monotonic() + _DEADLINE_S
        while len(self.acknowledged) < count:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} of {count} messages acknowledged"
            time.sleep(0.01)  # another thread publishes

    async def _run(self) -> None:
        client = await nats.connect(self.url.split(","), disconnected_cb=self._count, **self.options)
        number, self._last = 0, time.monotonic()
        while not self.stopped.is_set():
            batch = range(number, number + _AT_ONCE)
            await asyncio.gather(*(self._publish(client, each) for each in batch))
            number += _AT_ONCE
            await asyncio.sleep(_PAUSE_S)
        await client.close()

    async def _count(self) -> None:
        self.disconnections += not self.stopped.is_set()

    async def _publish(self, client: Client, number: int) -> None:
        try:
            answer = await client.request(self.subject, str(number).encode(), timeout=_ANSWER_S)
        except (NatsError, TimeoutError):
            return  # not acknowledged: nothing was promised
        if b'"seq"' in answer.data and b'"error"' not in answer.data:  # a refusal has a sequence too: 0
            now = time.monotonic()
            self.longest_gap, self._last = max(self.longest_gap, now - self._last), now
            self.acknowledged.add(number)


@contextmanager
def flooding(url: str, subject: str, **options: Any) -> Iterator[Flood]:
    """A publisher at work; the options are nats-py's."""
    flood = Flood(url, subject, options)
    thread = threading.Thread(target=flood.run, name="flood")
    thread.start()
    try:
        yield flood
    finally:
        flood.stopped.set()
        thread.join(_DEADLINE_S)


def numbers(url: str, stream: str) -> set[int]:
    """The numbers in a stream; none where there is no such stream."""
    return asyncio.run(_numbers(url, stream))


async def _numbers(url: str, stream: str) -> set[int]:
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        left, found = (await jetstream.stream_info(stream)).state.messages, set[int]()
        # Fetched, not pushed: a million messages come quicker than this process takes them.
        reading = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=_DEADLINE_S)
        subscription = await jetstream.pull_subscribe("", stream=stream, config=reading)
        while left:
            messages = await subscription.fetch(min(_BATCH, left), _DEADLINE_S)
            found |= {int(message.data) for message in messages}
            left -= len(messages)
        await subscription.unsubscribe()
    except NotFoundError:
        return set()
    else:
        return found
    finally:
        await client.close()
