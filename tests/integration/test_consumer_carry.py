"""A consumer that is replaced goes on where it was, whatever ends the run on the way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import nats
import nats.errors
import pytest
from nats.js.client import JetStreamContext

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumer, consumers
from provisioner.jetstream.target import Credentials
from provisioner.reconcile.consumers import ensure_consumer
from provisioner.reconcile.context import Context
from provisioner.reconcile.loss_approval import ALLOW_LOSS
from provisioner.reconcile.server_view import ServerView
from provisioner.schema.consumer_model import ConsumerInfo, ConsumerSpec
from tests.support.configurations import config
from tests.support.consumer_configurations import consumer as wanted
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient

STREAM, NAME = "ORDERS", "worker"
BEFORE = ConsumerSpec(STREAM, wanted(NAME, filter_subjects=["orders.>"]))
AFTER = ConsumerSpec(STREAM, wanted(NAME, filter_subjects=["orders.>"], max_waiting=7, replay_policy="original"))
AT_SPEED = ConsumerSpec(STREAM, wanted(NAME, filter_subjects=["orders.>"], max_waiting=7))
MESSAGES, TAKEN = 9, 4
DEADLINE_S = 60


@pytest.fixture(autouse=True)
def _approved(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was acknowledged out of turn may come again."""
    monkeypatch.setenv(ALLOW_LOSS, BEFORE.label)


@pytest.fixture
def where(server: NatsServer) -> Iterator[Context]:
    """A run of its own."""
    with closing(ServerView(server.url, None, Credentials())) as view:
        yield Context(view)


@pytest.fixture(params=["limits", "interest", "workqueue"])
def made(request: pytest.FixtureRequest, where: Context, jetstream: JetStream, raw: RawClient) -> ConsumerInfo:
    """A consumer that has taken some of its stream's messages, with one of them not in its turn."""
    jetstream.create(config(STREAM, subjects=["orders.>"], retention=request.param))
    ensure_consumer(where, BEFORE)
    for number in range(MESSAGES):
        raw.publish(f"orders.{number % 2}", str(number).encode())
    raw.consume(STREAM, NAME, TAKEN)
    info = consumer(where.client(), STREAM, NAME)
    assert info
    where.run.on_consumer_read(BEFORE)
    return info


class _Killed(Exception):
    """The run ends here."""


def _killed_at(monkeypatch: pytest.MonkeyPatch, number: int, *, answered: bool) -> list[str]:
    """Let a run end at its n-th request that changes something, before or after the server has it."""
    sent: list[str] = []
    request = JetStream.request

    def end(self: JetStream, subject: str, body: Mapping[str, Any] | None = None, timeout: float = 5.0) -> Any:
        changes = subject.startswith(("CONSUMER.CREATE", "CONSUMER.DELETE", "CONSUMER.RESET", "CONSUMER.PAUSE"))
        if changes:
            sent.append(subject)
        if changes and len(sent) == number and not answered:
            raise _Killed
        try:
            return request(self, subject, body, timeout)
        finally:
            if changes and len(sent) == number:
                raise _Killed

    monkeypatch.setattr(JetStream, "request", end)
    return sent


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("answered", [False, True], ids=["before the server has it", "after"])
def test_the_next_run_completes_it(
    where: Context, raw: RawClient, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    """Killed at each request: the next run ends with the wanted consumer at the old position, and nothing else."""
    number = 0
    while True:
        number += 1
        with monkeypatch.context() as patch:
            sent = _killed_at(patch, number, answered=answered)
            try:
                ensure_consumer(where, AFTER)
            except _Killed:
                pass
            else:
                assert number > len(sent), "a run that was not killed"
                break
        raw.publish("orders.late", b"late")
        info = ensure_consumer(where, AFTER)
        assert (TAKEN, MESSAGES + number - TAKEN) == (info.acknowledged, info.outstanding), f"killed at {sent[-1]}"
        assert [NAME] == [*consumers(where.client(), STREAM)]
        ensure_consumer(where, BEFORE)

    taken = raw.consume(STREAM, NAME, 100)
    assert [str(at).encode() for at in range(TAKEN, MESSAGES)] == taken[: MESSAGES - TAKEN]


@pytest.mark.usefixtures("made")
def test_a_service_makes_it_anew_meanwhile(where: Context, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when the old one is gone, and a service has made one at the first message: it is set to the position."""
    if where.client().stream(STREAM).config["retention"] == "workqueue":  # type: ignore[union-attr]
        return  # it has nothing that was acknowledged
    with monkeypatch.context() as patch:
        _killed_at(patch, 4, answered=True)
        with pytest.raises(_Killed):
            ensure_consumer(where, AFTER)
    assert consumer(where.client(), STREAM, NAME) is None
    raw.add_consumer(STREAM, NAME)

    info = ensure_consumer(where, AFTER)

    assert (TAKEN, MESSAGES - TAKEN) == (info.acknowledged, info.outstanding)
    assert [NAME] == [*consumers(where.client(), STREAM)]


@pytest.mark.usefixtures("made")
def test_replaced_again_and_again_under_a_service(where: Context, server: NatsServer) -> None:
    """A service that fetches and acknowledges all the while gets every message that is published meanwhile."""
    published, stopped, taken = threading.Event(), threading.Event(), set[bytes]()
    with ThreadPoolExecutor() as executor:
        publisher = executor.submit(lambda: asyncio.run(_publish(server.url, published)))
        service = executor.submit(lambda: asyncio.run(_serve(server.url, stopped, taken)))
        try:
            for spec in (AT_SPEED, BEFORE) * 3:
                ensure_consumer(where, spec)
                time.sleep(0.1)
        finally:
            published.set()
            count = publisher.result(DEADLINE_S)
            stopped.set()
            service.result(DEADLINE_S)

    assert count > 0
    assert set() == {str(number).encode() for number in range(MESSAGES, MESSAGES + count)} - taken


async def _publish(url: str, ended: threading.Event) -> int:
    """Publish numbers until it is told to stop; how many."""
    client, count = await nats.connect(url), 0
    while not ended.is_set():
        numbers = range(MESSAGES + count, MESSAGES + count + 50)
        await asyncio.gather(*(client.jetstream().publish("orders.2", str(number).encode()) for number in numbers))
        count += len(numbers)
    await client.close()
    return count


async def _is_through(subscription: JetStreamContext.PullSubscription) -> bool:
    """Whether everything is delivered and acknowledged: a pull may also end with the consumer that it was sent to."""
    info = await subscription.consumer_info()
    return not info.num_pending and not info.num_ack_pending


async def _serve(url: str, ended: threading.Event, taken: set[bytes]) -> None:
    """Fetch and acknowledge; once it is told to stop, until nothing comes any more."""
    client = await nats.connect(url)
    subscription = await client.jetstream().pull_subscribe_bind(NAME, STREAM)
    while True:
        try:
            messages = await subscription.fetch(50, timeout=1)
        except (nats.errors.Error, TimeoutError):  # there is no consumer for a moment, or nothing to fetch
            if ended.is_set() and await _is_through(subscription):
                break
            continue
        for message in messages:
            taken.add(message.data)
            await message.ack()
    await client.close()
