"""Each service does its whole job with nats-py under its permissions, and no denial arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import nats
import pytest
import yaml
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, RetentionPolicy, StorageType, StreamConfig

from tests.support.five_streams import FIVE_STREAMS
from tests.support.services import SERVICES, Guarded, guarded

FILE: dict[str, Any] = yaml.safe_load(SERVICES.read_text())
NAMES = list(FILE["services"])
# How the server spells acknowledgements and flow control: as it does by default, and as a later one will.
SPELLINGS = {"v1": "", "v2": "feature_flags { js_ack_fc_v2: true }"}

# Ten of them are more than a consumer pushes before it asks whether they have arrived.
LARGE = b"x" * 100_000


def entries(service: str) -> list[dict[str, Any]]:
    """What a service consumes, each as a block."""
    consumes = FILE["services"][service].get("consumes", [])
    return [{"stream": entry} if isinstance(entry, str) else entry for entry in consumes]


def with_two_consumers() -> str:
    """The committed file, with a pull and a push consumer for each service and stream."""
    services = {
        name: {**role, "consumes": [{**entry, "consumers": [name, f"{name}-push"]} for entry in entries(name)]}
        for name, role in FILE["services"].items()
    }
    return str(yaml.safe_dump({**FILE, "services": services}))


@pytest.fixture(params=SPELLINGS, scope="module")
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server whose streams the services have created, with messages on every subject."""
    folder, extra = tmp_path_factory.mktemp(request.param), SPELLINGS[request.param]
    with guarded(folder, with_two_consumers(), extra) as server, server.jetstream() as client:
        asyncio.run(start_up(server))
        for name in FIVE_STREAMS.keys() - client.streams().keys():  # MODEL_METRICS is nobody's in the message flow
            client.create(next(spec.config for spec in server.catalogue.streams if spec.name == name))
        yield server


@asynccontextmanager
async def service(server: Guarded, name: str) -> AsyncIterator[JetStreamContext]:
    """A service's connection, on which no denial and no other error may arrive."""
    errors: list[Exception] = []

    async def note(error: Exception) -> None:
        errors.append(error)

    connection = await nats.connect(server.server.url, error_cb=note, **server.login(name))
    try:
        yield connection.jetstream()
        await connection.flush()
    finally:
        await connection.close()
    assert [] == errors


async def start_up(server: Guarded) -> None:
    """Every service creates its streams as its document says, one after the other, and publishes."""
    for name in NAMES:
        async with service(server, name) as js:
            for stream in FILE["services"][name].get("creates", ()):
                expected = FIVE_STREAMS[stream]
                wanted: Any = StreamConfig(
                    name=stream,
                    subjects=expected.subjects,
                    max_age=expected.days * 24 * 60 * 60,  # nats-py counts in seconds
                    max_bytes=expected.max_bytes,
                    storage=StorageType.FILE,
                    retention=RetentionPolicy.LIMITS,
                )
                await js.add_stream(wanted)
                assert stream == (await js.stream_info(stream)).config.name
    for name in NAMES:
        async with service(server, name) as js:
            for subject in subjects_of(name) * 10:
                assert (await js.publish(subject, LARGE)).stream in FIVE_STREAMS


def subjects_of(name: str) -> list[str]:
    """A subject for each that a service publishes."""
    patterns = FILE["services"][name].get("publishes", [])
    captured = [subject for stream in FIVE_STREAMS.values() for subject in stream.subjects]
    widest = {pattern for pattern in patterns if pattern in captured}
    below = {subject for subject in captured for p in patterns if p.endswith("*") and subject.startswith(p[:-1])}
    return sorted(subject.replace("*", "x") for subject in widest | below)


@pytest.mark.parametrize("name", NAMES)
def test_publish(started: Guarded, name: str) -> None:
    """Every message is acknowledged by its stream, one at a time and many at once."""

    async def work() -> None:
        async with service(started, name) as js:
            for subject in subjects_of(name):
                waiting = [await js.publish_async(subject, b"payload") for _ in range(10)]
                assert 10 == len({answer.seq for answer in await asyncio.gather(*waiting)})

    assert subjects_of(name)
    asyncio.run(work())


@pytest.mark.parametrize("name", [name for name in NAMES if entries(name)])
def test_consume_by_pull(started: Guarded, name: str) -> None:
    """A durable consumer is made, found again and bound to; messages are fetched and acknowledged."""

    async def work() -> None:
        async with service(started, name) as js:
            for entry in entries(name):
                subject = entry.get("subjects", [FIVE_STREAMS[entry["stream"]].subjects[0]])[0]
                first = await js.pull_subscribe(subject, durable=name)
                (message,) = await first.fetch(1)
                await message.ack_sync()
                again = await js.pull_subscribe_bind(durable=name, stream=entry["stream"])
                (message,) = await again.fetch(1)
                await message.in_progress()
                await message.ack_sync()
                assert 0 == (await again.consumer_info()).num_ack_pending

    asyncio.run(work())


@pytest.mark.parametrize("name", [name for name in NAMES if entries(name)])
def test_consume_by_push(started: Guarded, name: str) -> None:
    """A durable consumer pushes to an inbox of the service's own, with flow control and heartbeats."""

    async def work() -> None:
        async with service(started, name) as js:
            for entry in entries(name):
                durable, subjects = f"{name}-push", entry.get("subjects")
                # Where the file has filters, the request has to name the consumer, so that its subject has the filter.
                wanted = ConsumerConfig(name=durable if subjects else None)
                subscription = await js.subscribe(
                    subjects[0] if subjects else "", stream=entry["stream"], durable=durable, config=wanted,
                    flow_control=True, idle_heartbeat=1, manual_ack=True,
                )  # fmt: skip
                pending = 1
                while pending:
                    message = await subscription.next_msg(5)
                    await message.ack_sync()
                    pending = message.metadata.num_pending
                await subscription.unsubscribe()

    asyncio.run(work())
