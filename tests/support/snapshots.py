"""Streams worth backing up, and everything that can be seen of them."""

from __future__ import annotations

import json
import random
import time
from typing import Any

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.event_loop import run
from tests.support.configurations import config
from tests.support.nats_server import NatsServer

NAME = "ORDERS"
BIG = 900_000
_TIMEOUT = 10.0


def fill(client: JetStream, messages: int, *, storage: str = "file", size: int = 100, **fields: Any) -> None:
    """Make the stream, with random messages of which every third has a header."""
    client.create(config(NAME, subjects=["o.>"], storage=storage, **fields))
    payloads = random.Random(7)  # noqa: S311 - no secret, but nothing that compresses
    publish = client.connection._client.request  # noqa: SLF001 - requests with headers

    async def publish_all() -> None:
        for number in range(messages):
            headers = {"Number": str(number), "Twice": "a: b"} if number % 3 == 0 else None
            await publish(f"o.{number % 7}", payloads.randbytes(size), _TIMEOUT, headers=headers)

    run(publish_all(), 10 * _TIMEOUT)


def consumer(client: JetStream, name: str, **fields: Any) -> None:
    """Make a durable consumer."""
    body = {"stream_name": NAME, "config": {"durable_name": name, "name": name, "ack_policy": "explicit", **fields}}
    client.request(f"CONSUMER.CREATE.{NAME}.{name}", body)


def consume(client: JetStream, name: str, batch: int, without: tuple[int, ...] = ()) -> list[bytes]:
    """Fetch that many messages, and acknowledge all but the ones of these indexes."""
    with client.connection.transfer() as transfer:
        transfer.send(f"$JS.API.CONSUMER.MSG.NEXT.{NAME}.{name}", json.dumps({"batch": batch}).encode())
        parts = [transfer.receive(_TIMEOUT) for _ in range(batch)]
        for index, part in enumerate(parts):
            if index not in without:
                transfer.send(part.reply)  # with a place to answer to: an acknowledgement that is acknowledged
                transfer.receive(_TIMEOUT)
    return [part.data for part in parts]


def consumers(client: JetStream) -> dict[str, Any]:
    """Every consumer's position, and what it waits for."""
    bodies = client.pages(f"CONSUMER.LIST.{NAME}", "consumers")
    return {
        body["name"]: (
            {key: body["delivered"][key] for key in ("consumer_seq", "stream_seq")},
            {key: body["ack_floor"][key] for key in ("consumer_seq", "stream_seq")},
            body["num_ack_pending"],
            body["num_pending"],
            body["config"],
        )
        for body in bodies
    }


def messages(client: JetStream) -> list[dict[str, Any]]:
    """Every message with its sequence, time, subject, headers and payload."""
    found: list[dict[str, Any]] = []
    count = client.state(NAME)["messages"]
    while len(found) < count:
        sequence = found[-1]["seq"] + 1 if found else 1
        answer = client.request(f"STREAM.MSG.GET.{NAME}", {"seq": sequence, "next_by_subj": ">"})
        found.append(answer["message"])
    return found


def delete_messages(client: JetStream, *sequences: int) -> None:
    """Leave gaps."""
    for sequence in sequences:
        client.request(f"STREAM.MSG.DELETE.{NAME}", {"seq": sequence})


def delete(client: JetStream, server: NatsServer, name: str = NAME) -> None:
    """Delete a stream and wait until its files are gone.

    A server removes them after its answer; a second delete of the same name before that removes
    none (it ignores that the folder cannot be renamed), and the next stream of the name has them.
    """
    client.delete(name)
    deadline = time.monotonic() + _TIMEOUT
    while any(server.folder.glob(f"data/jetstream/*/streams/.{name}")):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def silent(_stream: str, _done: int, _total: int | None) -> None:
    """Progress nobody watches."""
