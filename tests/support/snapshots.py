"""Streams worth backing up, and everything that can be seen of them.

A ``client`` is the program's own and names the server; the tests look at it through one of theirs.
"""

from __future__ import annotations

import json
import random
from typing import Any

from provisioner.errors import STORE_NOT_CREATED
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.codec import to_request
from tests.support import streams
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient, RequestError, raw_client
from tests.support.waiting import until

NAME = "ORDERS"
BIG = 900_000
_RECEIVE_TIMEOUT_S = 10.0


def fill(client: JetStream, messages: int, *, storage: str = "file", size: int = 100, **fields: Any) -> None:
    """Make the stream, with random messages of which every third has a header."""
    with raw_client(client.connection.url) as raw:
        fill_as(raw, messages, storage=storage, size=size, **fields)


def fill_as(raw: RawClient, messages: int, *, storage: str = "file", size: int = 100, **fields: Any) -> None:
    """The same as the user of a connection."""
    wanted = to_request(config(NAME, subjects=["o.>"], storage=storage, **fields))
    until("the stream is made", lambda: _made(raw, wanted))
    payloads = random.Random(7)  # noqa: S311 - no secret, but nothing that compresses
    for number in range(messages):
        headers = {"Number": str(number), "Twice": "a: b"} if number % 3 == 0 else None
        assert NAME == raw.publish(f"o.{number % 7}", payloads.randbytes(size), headers)


def _made(raw: RawClient, wanted: dict[str, Any]) -> bool:
    """Whether it is; not yet while the server still removes the folder that the account's last stream was in."""
    try:
        raw.ask(f"STREAM.CREATE.{NAME}", wanted)
    except RequestError as error:
        if error.code != STORE_NOT_CREATED:
            raise
        return False
    return True


def consumer(client: JetStream, name: str, **fields: Any) -> None:
    """Make a durable consumer."""
    with raw_client(client.connection.url) as raw:
        raw.add_consumer(NAME, name, **fields)


def consume(client: JetStream, name: str, batch: int, without: tuple[int, ...] = ()) -> list[bytes]:
    """Fetch that many messages, and acknowledge all but the ones of these indexes."""
    with client.connection.transfer() as transfer:
        transfer.send(f"$JS.API.CONSUMER.MSG.NEXT.{NAME}.{name}", json.dumps({"batch": batch}).encode())
        parts = [transfer.receive(_RECEIVE_TIMEOUT_S) for _ in range(batch)]
        for index, part in enumerate(parts):
            if index not in without:
                transfer.send(part.reply)  # with a place to answer to: an acknowledgement that is acknowledged
                transfer.receive(_RECEIVE_TIMEOUT_S)
    return [part.data for part in parts]


def consumers(client: JetStream) -> dict[str, Any]:
    """Every consumer's position, and what it waits for."""
    with raw_client(client.connection.url) as raw:
        bodies = raw.consumers(NAME)
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
    with raw_client(client.connection.url) as raw:
        return raw.messages(NAME)


def delete_messages(client: JetStream, *sequences: int) -> None:
    """Leave gaps."""
    with raw_client(client.connection.url) as raw:
        raw.delete_messages(NAME, *sequences)


def delete(client: JetStream, server: NatsServer, name: str = NAME) -> None:
    """Delete a stream and wait until its files are gone."""
    streams.delete(client, server, name)


def silent(_stream: str, _done: int, _total: int | None) -> None:
    """Progress nobody watches."""
