"""Messages in streams: one in each of the five, or many, and proof that they are still there."""

from __future__ import annotations

from contextlib import closing

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.five_streams import FIVE_STREAMS
from tests.support.raw_nats import raw_client

SUBJECTS = {name: stream.example for name, stream in FIVE_STREAMS.items()}
EXPECTED = [f"to {name}" for name in SUBJECTS]


def publish_one_each(url: str) -> None:
    """Publish to every stream and wait for each acknowledgement."""
    with raw_client(url) as raw:
        assert list(SUBJECTS) == [raw.publish(subject, f"to {name}".encode()) for name, subject in SUBJECTS.items()]


def read_one_each(url: str) -> list[str]:
    """The first message of every stream."""
    with raw_client(url) as raw:
        return [raw.message(name, 1)["data"].decode() for name in SUBJECTS]


def publish(url: str, subject: str, count: int) -> None:
    """Store so many messages on one subject."""
    with closing(JetStream(url, Credentials())) as client:
        for _ in range(count):
            client.connection.request(subject, b"payload")


def stored(url: str) -> dict[str, int]:
    """How many messages each stream holds."""
    with closing(JetStream(url, Credentials())) as client:
        return {name: info.messages for name, info in client.streams().items()}
