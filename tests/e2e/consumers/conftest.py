"""A stack on somebody else's server whose messages are guarded, and the services beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Project
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient, raw_client


@pytest.fixture
def raw(server: NatsServer) -> Iterator[RawClient]:
    """The services' client."""
    with raw_client(server.url) as client:
        yield client


@pytest.fixture
def own(external: Project) -> Project:
    """A project with a catalogue of its own, whose messages are guarded."""
    external.configure(**{**external.settings, "onDelete": "guard"}, catalogue="streams.yaml")
    return external
