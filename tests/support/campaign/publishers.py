"""Publishers at full speed on every server of a campaign, whose acknowledgements go to its ledger."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from tests.support.campaign.ledger import Ack, Ledger
from tests.support.campaign.model import NAMES, SUBJECTS
from tests.support.campaign.steps import REQUESTS
from tests.support.raw_nats import close
from tests.support.waiting import until

_ALL: Final = (*SUBJECTS, *(f"own.{name}" for name in NAMES))
_ANSWER_TIMEOUT_S: Final = 2.0
_PAUSE_S: Final = 0.01  # other processes need the machine too
_IDLE_S: Final = 0.1  # where no stream takes anything
_RECONNECT_S: Final = 0.1
_BURST: Final = 500  # messages
_BURST_S: Final = 3.0
_DEADLINE_S: Final = 30.0


@dataclass
class Publishers:
    """One for each URL; each publishes to every subject, over and over.

    Attributes:
        urls: URL -> place.
        ledger: where acknowledgements go.
        changes: requests to create, change or delete a stream that were seen.
    """

    urls: Mapping[str, str]
    ledger: Ledger
    changes: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _working: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _busy: dict[str, bool] = field(default_factory=dict)

    def run(self) -> None:
        """Publish until told to end."""
        asyncio.run(self._all())

    @contextmanager
    def working(self) -> Iterator[None]:
        """Publish for as long as the block lasts; afterwards nothing is on its way any more."""
        self._working.set()
        try:
            yield
        finally:
            self._working.clear()
            until("every answer has come", lambda: not any(self._busy.values()), _DEADLINE_S)

    def burst(self) -> None:
        """Go on for a moment, so that there is something to lose; streams that are full take nothing."""
        end, deadline = self.ledger.count + _BURST, time.monotonic() + _BURST_S
        while self.ledger.count < end and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)  # another thread publishes

    def end(self) -> None:
        """End the work."""
        self._ended.set()

    async def _all(self) -> None:
        for client in await asyncio.gather(*(self._one(url, place) for url, place in self.urls.items())):
            await close(client)  # and wait for the tasks that connect

    async def _one(self, url: str, place: str) -> Client:
        client = Client()
        connecting = asyncio.ensure_future(_connect(client, url))
        watching = False
        while not self._ended.is_set():
            if client.is_connected and not watching:
                await client.subscribe("$JS.API.STREAM.*.*", cb=self._watch)
                watching = True
            self._busy[url] = True
            working = self._working.is_set() and client.is_connected
            taken = await self._batch(client, place) if working else 0
            self._busy[url] = False
            await asyncio.sleep(_PAUSE_S if taken else _IDLE_S)
        connecting.cancel()
        return client

    async def _watch(self, message: Msg) -> None:
        self.changes += message.subject.split(".")[3] in REQUESTS

    async def _batch(self, client: Client, place: str) -> int:
        """A message to each subject; how many were acknowledged."""
        return sum(await asyncio.gather(*(self._publish(client, place, subject) for subject in _ALL)))

    async def _publish(self, client: Client, place: str, subject: str) -> bool:
        number, sent = next(self._numbers), time.time()
        try:
            answer = await client.request(subject, str(number).encode(), timeout=_ANSWER_TIMEOUT_S)
        except (NatsError, TimeoutError, OSError):
            return False  # not acknowledged: nothing was promised
        body = json.loads(answer.data)
        if "error" in body or "seq" not in body:  # a refusal of a stream that is full has a sequence too
            return False
        self.ledger.record(place, body["stream"], Ack(number, body["seq"], sent))
        return True


@contextmanager
def publishing(urls: Mapping[str, str], ledger: Ledger) -> Iterator[Publishers]:
    """Publishers that wait for their work; ended, whatever happens."""
    publishers = Publishers(urls, ledger)
    thread = threading.Thread(target=publishers.run, name="publishers")
    thread.start()
    try:
        yield publishers
    finally:
        publishers.end()
        thread.join(_DEADLINE_S)
        assert not thread.is_alive(), "the publishers do not end"


async def _connect(client: Client, url: str) -> None:
    async def ignore(_error: Exception) -> None:
        pass

    await client.connect(
        url,
        max_reconnect_attempts=-1,
        reconnect_time_wait=_RECONNECT_S,  # type: ignore[arg-type] # it only sleeps for so long
        connect_timeout=1,
        error_cb=ignore,
    )
