"""A message in each of the five streams, and proof that it is still there."""

from __future__ import annotations

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
