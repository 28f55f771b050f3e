"""What clients ask of a server, seen or answered by another client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provisioner.jetstream.client import JetStream
from tests.support.raw_nats import raw_client


@contextmanager
def recorded(client: JetStream, subject: str) -> Iterator[list[str]]:
    """The subjects of all requests that match, in order; complete once the block is left."""
    with raw_client(client.connection.url) as raw, raw.recorded(subject) as subjects:
        yield subjects


@contextmanager
def answering(url: str, subject: str, payload: bytes) -> Iterator[None]:
    """The same answer to every request that matches."""
    with raw_client(url) as raw, raw.answering(subject, payload):
        yield
