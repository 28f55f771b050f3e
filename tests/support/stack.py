"""The committed streams and consumers on a server, and what is to be the same before and after a look at them."""

from __future__ import annotations

from typing import Any

from provisioner.catalogue.reader import load
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import make
from provisioner.schema.config import with_fields
from tests.support.services import STREAMS

COMMITTED = load(STREAMS)
_OF_A_CONSUMER = ("created", "config", "delivered", "ack_floor", "num_ack_pending", "num_redelivered", "num_pending")


def build(client: JetStream, replicas: int = 1) -> None:
    """Make the streams and consumers of the committed catalogue."""
    for spec in COMMITTED.streams:
        client.create(with_fields(spec.config, {"num_replicas": replicas}))
    for hop in COMMITTED.consumers:
        make(client, hop.stream, hop.config)


def everything(client: JetStream) -> dict[str, Any]:
    """Every stream's configuration and state, and every consumer's with its position."""
    streams = {name: (info.config, client.state(name)) for name, info in client.streams().items()}
    consumers = {
        f"{name}/{body['name']}": {key: body.get(key) for key in _OF_A_CONSUMER}
        for name in streams
        for body in client.consumer_states(name)
    }
    return {**streams, **consumers}
