"""The services create these streams at start-up with nats-py: they and the stack get along in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.api import RetentionPolicy, StorageType, StreamConfig

from infra.sizing import room
from provisioner.catalogue.reader import load
from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import ROOT, Project
from tests.support.five_streams import FIVE_STREAMS
from tests.support.nats_server import NatsServer, running
from tests.support.requests import recorded

CATALOGUE = ROOT / "infra/streams.yaml"


async def start_services(url: str) -> None:
    """Every service's start-up code; nats-py raises where the server refuses."""
    connection = await nats.connect(url)
    js = connection.jetstream()
    for name, stream in FIVE_STREAMS.items():
        wanted: Any = StreamConfig(
            name=name,
            subjects=stream.subjects,
            max_age=stream.days * 24 * 60 * 60,  # nats-py counts in seconds
            max_bytes=stream.max_bytes,
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
        )
        await js.add_stream(wanted)
    await connection.close()


def test_the_catalogue_is_the_document() -> None:
    """Exactly the five streams, in its order."""
    assert list(FIVE_STREAMS) == [spec.name for spec in load(CATALOGUE).streams]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server with the room that the stack gives its own."""
    with running(tmp_path / "nats", jetstream=f"max_file_store: {room(load(CATALOGUE).streams)}") as started:
        yield started


def test_services_start_after_up(external: Project, server: NatsServer) -> None:
    """The server takes their creates as equal to what the stack made."""
    external.up()
    asyncio.run(start_services(server.url))
    assert external.unchanged()


def test_services_start_first(external: Project, server: NatsServer, jetstream: JetStream) -> None:
    """Up takes the five over, says so in preview and in up, and changes nothing on the server."""
    asyncio.run(start_services(server.url))
    planned = external.preview()
    assert planned.code == 0
    with recorded(jetstream, "$JS.API.STREAM.*.*") as requests:
        done = external.up()

    for name in FIVE_STREAMS:
        assert f"{name} already exists" in planned.text
        assert f"{name} already exists" in done.text
    assert {"INFO"} == {subject.split(".")[3] for subject in requests}
    assert external.unchanged()
