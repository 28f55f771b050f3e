"""A real nats-server for every test that asks for one: store folder -> server -> client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import RawClient, raw_client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for a module's tests."""
    with running(tmp_path_factory.mktemp("nats")) as started:
        yield started


@pytest.fixture
def jetstream(server: NatsServer) -> Iterator[JetStream]:
    """A client of an empty server."""
    client = JetStream(server.url, Credentials())
    yield client
    for name in client.streams():
        client.delete(name)
    client.close()


@pytest.fixture
def raw(server: NatsServer) -> Iterator[RawClient]:
    """A plain client of the same server, which shares no code with the program."""
    with raw_client(server.url) as client:
        yield client
