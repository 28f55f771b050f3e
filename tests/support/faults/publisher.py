"""Numbered messages with acknowledgement, published for as long as a test lasts."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from nats.aio.client import DEFAULT_PING_INTERVAL, Client
from nats.errors import Error as NatsError

from provisioner.jetstream.client import JetStream
from tests.support.raw_nats import close, raw_client
from tests.support.waiting import until

_PAUSE_S = 0.02  # between two messages to a stream: a load, not a benchmark
_ANSWER_TIMEOUT_S = 0.5
_DEADLINE_S = 30.0


@dataclass
class Publisher:
    """Publishes to one subject of each stream and remembers what the server acknowledged.

    Attributes:
        subjects: stream -> subject.
        ping_s: seconds between two looks at whether its server is still there; of a hanging one, nothing else tells.
        tls: whom it trusts where the server speaks TLS.
        disconnections: how often it lost its server.
        acknowledged: stream -> number -> when it was sent, in seconds since the epoch.
    """

    url: str
    subjects: Mapping[str, str]
    ping_s: int = DEFAULT_PING_INTERVAL
    tls: ssl.SSLContext | None = None
    disconnections: int = 0
    acknowledged: dict[str, dict[int, float]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Publish until told to stop."""
        asyncio.run(self._publish_all())

    @property
    def count(self) -> int:
        """How many messages were acknowledged."""
        return sum(self._counts().values())

    @property
    def longest_gap(self) -> float:
        """Seconds between two messages to a stream that were acknowledged, at most."""
        return self.gap_since(0.0)

    def gap_since(self, instant: float) -> float:
        """The longest gap that ends after an instant, in seconds since the epoch."""
        times = [sorted(dict(sent).values()) for sent in self.acknowledged.values()]
        gaps = (after - before for each in times for before, after in pairwise(each) if after > instant)
        return max(gaps, default=0.0)

    def wait_for_more(self) -> None:
        """Return when each stream has acknowledged another message."""
        before = self._counts()
        until(
            f"another acknowledgement from each of {before}",
            lambda: all(count > before[stream] for stream, count in self._counts().items()),
            _DEADLINE_S,
        )

    def lost(self, client: JetStream) -> dict[str, list[int]]:
        """Acknowledged messages that are missing from the streams that are there, each since it was created."""
        created = {stream: _instant(info.created) for stream, info in client.streams().items()}
        missing = {stream: self.missing(client, stream, since) for stream, since in created.items()}
        return {stream: numbers for stream, numbers in missing.items() if numbers}

    def missing(self, client: JetStream, stream: str, since: float = 0.0) -> list[int]:
        """Acknowledged messages, sent at or after an instant, that a stream does not have."""
        sent = dict(self.acknowledged.get(stream, {}))  # before looking: what comes later is not expected
        info = client.stream(stream)
        stored = _stored(self.url, stream, self.tls) if info and info.messages else set()
        return [number for number, at in sent.items() if at >= since and number not in stored]

    def _counts(self) -> dict[str, int]:
        return {stream: len(self.acknowledged.get(stream, ())) for stream in self.subjects}

    async def _publish_all(self) -> None:
        client = Client()
        connecting = asyncio.ensure_future(self._connect(client))
        number = 0
        while not self.stopped.is_set():
            number += 1
            if client.is_connected:
                await asyncio.gather(*(self._publish(client, stream, number) for stream in self.subjects))
            await asyncio.sleep(_PAUSE_S)
        connecting.cancel()
        await close(client)  # and wait for the task that connects

    async def _connect(self, client: Client) -> None:
        async def ignore(_error: Exception) -> None:
            pass

        async def count() -> None:
            self.disconnections += 1

        await client.connect(
            self.url.split(","),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0,
            connect_timeout=1,
            ping_interval=self.ping_s,
            error_cb=ignore,
            disconnected_cb=count,
            tls=self.tls,
        )

    async def _publish(self, client: Client, stream: str, number: int) -> None:
        sent = time.time()
        try:
            answer = await client.request(self.subjects[stream], str(number).encode(), timeout=_ANSWER_TIMEOUT_S)
        except (NatsError, TimeoutError, OSError):
            return  # not acknowledged: nothing was promised
        if json.loads(answer.data).get("stream") == stream:
            self.acknowledged.setdefault(stream, {})[number] = sent


@contextmanager
def publishing(
    url: str, subjects: Mapping[str, str], ping_s: int = DEFAULT_PING_INTERVAL, tls: ssl.SSLContext | None = None
) -> Iterator[Publisher]:
    """A publisher at work, whether or not there is a server yet."""
    publisher = Publisher(url, subjects, ping_s, tls)
    thread = threading.Thread(target=publisher.run, name="publisher")
    thread.start()
    try:
        yield publisher
    finally:
        publisher.stopped.set()
        thread.join(_DEADLINE_S)
        assert not thread.is_alive(), "the publisher does not end"


def _stored(url: str, stream: str, tls: ssl.SSLContext | None) -> set[int]:
    """The numbers in a stream."""
    with raw_client(url, tls=tls) as raw:
        return raw.numbers(stream)


def _instant(created: str) -> float:
    """Seconds since the epoch, rounded up to what a float can tell."""
    whole = datetime.fromisoformat(created[:19]).replace(tzinfo=UTC).timestamp()
    return whole + float(f"0.{created[20:].rstrip('Z') or 0}")
