"""The services at the consumers that the stack has made for them: found, bound to, never made anew or changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import nats
import pytest

from provisioner.catalogue.reader import load
from provisioner.jetstream.consumers import consumer, make
from provisioner.schema.consumer_model import ConsumerSpec, subject_filters
from tests.support.raw_nats import raw_client
from tests.support.services import STREAMS, Guarded, guarded

HOPS = {spec.label: spec for spec in load(STREAMS).consumers}
# Who publishes what each stream holds.
PUBLISHERS = {
    "MARKET_DATA": ("market-data-ingestion", "market.data.news"),
    "PREDICTIONS": ("prediction-agent-normal", "predictions.normal.ACME"),
    "ROUTING": ("routing-agent", "routing.decision"),
}
ASKED = ("api-gateway", "explanations.request"), ("explanation-worker", "explanations.response")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server with the committed streams, consumers and identities, and a message or more for each consumer."""
    with guarded(tmp_path_factory.mktemp("nats")) as server, server.jetstream() as client:
        for spec in server.catalogue.streams:
            client.create(spec.config)
        for hop in HOPS.values():
            make(client, hop.stream, hop.config)
        for who, subject in (*PUBLISHERS.values(), *ASKED):
            with raw_client(server.server.url, **server.login(who)) as service:
                service.publish(subject)
        yield server


@pytest.mark.parametrize("label", HOPS)
def test_a_service_works_with_the_stacks_consumer(stack: Guarded, label: str) -> None:
    """nats-py's pull_subscribe(durable=…) finds it, and takes what is for it; it stays as it was made."""
    hop = HOPS[label]
    with stack.jetstream() as client:
        before = consumer(client, hop.stream, hop.name)
        subject = asyncio.run(_received(stack, hop))
        after = consumer(client, hop.stream, hop.name)
    assert before
    assert after
    assert subject in (subject_filters(hop.config) or [subject])
    assert (before.config, before.created, before.outstanding - 1) == (after.config, after.created, after.outstanding)


async def _received(stack: Guarded, hop: ConsumerSpec) -> str:
    """The subject of the first message that the service takes, and acknowledges."""
    errors: list[Exception] = []

    async def note(error: Exception) -> None:
        errors.append(error)

    connection = await nats.connect(stack.server.url, error_cb=note, **stack.login(hop.name))
    try:
        subscription = await connection.jetstream().pull_subscribe("", durable=hop.name, stream=hop.stream)
        (message,) = await subscription.fetch(1, timeout=10)
        await message.ack_sync()
    finally:
        await connection.close()
    assert [] == errors
    return message.subject
