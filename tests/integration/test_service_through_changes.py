"""A service that fetches and acknowledges all the while, as its consumer and its stream are changed under it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import nats
import nats.errors
import nats.js.errors
import pytest
from nats.js.client import JetStreamContext

from provisioner.reconcile.loss_approval import ALLOW_LOSS
from tests.support.nats_server import NatsServer
from tests.support.provider_stack import Stack
from tests.support.raw_nats import RawClient
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("own_process", "jetstream")

DEADLINE_S = 30
CATALOGUE = "{stream}:\n  subjects: [orders.>]\n{also}  consumers:\n    worker: {{ack_wait: 2s{fields}}}\n"
BOTH = ", filter_subjects: [orders.new, orders.paid]"
# In turn, each while the service is at work and messages wait: the name of the stream, its fields, the consumer's.
CHANGES = {
    "in place": ("ORDERS", "", ", max_deliver: 20"),
    "paused": ("ORDERS", "", ', max_deliver: 20, pause_until: "2099-01-01T00:00:00Z"'),
    "goes on": ("ORDERS", "", ", max_deliver: 20"),
    "filters": ("ORDERS", "", BOTH),
    "replaced": ("ORDERS", "", f"{BOTH}, max_waiting: 7"),
    "carried over": ("ORDERS", "  storage: memory\n", f"{BOTH}, max_waiting: 7"),
    "renamed": ("SALES", "  storage: memory\n  renamed_from: ORDERS\n", f"{BOTH}, max_waiting: 7"),
    "replaced again": ("SALES", "  storage: memory\n", f"{BOTH}, mem_storage: true"),
}


@dataclass
class Traffic:
    """What is published, and what the service has acknowledged.

    Attributes:
        url: of the server.
        stream: where the service finds its consumer.
        published: the numbers that the stream has acknowledged.
        taken: how often the service was given each.
    """

    url: str
    stream: str = "ORDERS"
    published: set[int] = field(default_factory=set)
    taken: Counter[int] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)
    drained: threading.Event = field(default_factory=threading.Event)

    async def publish(self) -> None:
        """Number after number, each until its stream has acknowledged it, which one that is carried over does later."""
        client, number = await nats.connect(self.url), 0
        js = client.jetstream(timeout=1)
        while not self.over.is_set():
            number += 1
            await self._stored(js, number)
        await client.close()

    async def _stored(self, js: JetStreamContext, number: int) -> None:
        while True:
            try:
                await js.publish(f"orders.{'new' if number % 2 else 'paid'}", str(number).encode())
            except (nats.errors.Error, TimeoutError):
                continue
            self.published.add(number)
            return

    async def serve(self) -> None:
        """Fetch and acknowledge, wherever the consumer is, until everything that was published is taken."""
        client = await nats.connect(self.url)
        while not self.drained.is_set():
            try:
                subscription = await client.jetstream().pull_subscribe_bind("worker", self.stream)
                for message in await subscription.fetch(20, timeout=0.5):
                    self.taken[int(message.data)] += 1
                    await message.ack_sync()
            except (nats.errors.Error, TimeoutError):  # there is no consumer for a moment, or nothing to fetch
                continue
        await client.close()

    def _is_drained(self) -> bool:
        return self.published <= self.taken.keys()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Both, until the block is left and everything is taken."""
        with ThreadPoolExecutor() as executor:
            running: list[Future[None]] = [executor.submit(asyncio.run, work()) for work in (self.publish, self.serve)]
            try:
                yield
                self.over.set()
                running[0].result(DEADLINE_S)
                until("everything is taken", self._is_drained, DEADLINE_S)
            finally:
                self.over.set()
                self.drained.set()
                for each in running:
                    each.result(DEADLINE_S)


@pytest.mark.parametrize("retention", ["limits", "interest", "workqueue"])
def test_nothing_is_passed_by(
    server: NatsServer,
    raw: RawClient,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
    retention: str,
) -> None:
    """Every message that was published is given to the service and acknowledged; approved is what comes again."""
    stack, kept = Stack(server), f"  retention: {retention}\n"
    assert "" not in stack.up(CATALOGUE.format(stream="ORDERS", also=kept, fields=""))
    traffic = Traffic(server.url)
    with traffic.running():
        for what, (stream, also, fields) in CHANGES.items():
            until("messages wait", lambda: _outstanding(raw, traffic.stream) > 0)
            before = len(traffic.published)
            monkeypatch.setenv(ALLOW_LOSS, f"{stream}/worker")
            done = stack.up(CATALOGUE.format(stream=stream, also=also + kept, fields=fields))
            assert "" not in done, (what, done)
            traffic.stream = stream
            until("more is published", lambda: len(traffic.published) > before)  # noqa: B023 - called at once
    assert 0 == _outstanding(raw, "SALES")
    again = sum(traffic.taken.values()) - len(traffic.taken)
    record_property("faults", f"{retention}: published {len(traffic.published)}, given again {again}")


def _outstanding(raw: RawClient, stream: str) -> int:
    (info,) = raw.consumers(stream)
    return int(info["num_pending"] + info["num_ack_pending"])
