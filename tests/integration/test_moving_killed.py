"""A run that is killed while it moves a stream to another server: the next one completes it, and its gate knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.providers import properties
from provisioner.reconcile.context import close_all, context
from provisioner.reconcile.moving import copy_out
from tests.support import snapshots
from tests.support.killed_carry import requests_of_update, update_killed_at
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import raw_client
from tests.support.snapshots import NAME
from tests.support.stream_provider import gate, props, provider

pytestmark = pytest.mark.usefixtures("own_process")

MESSAGES = 40


def _stream(server: NatsServer, **fields: Any) -> dict[str, Any]:
    return {**props(server, NAME, subjects=["o.>"], **fields), "store": server.url}


def _copied(server: NatsServer, jetstream: JetStream) -> dict[str, Any]:
    """The outputs of a stream that the estate's part of the run has copied."""
    snapshots.fill(jetstream, MESSAGES, size=2_000)
    outs = dict(provider().create(_stream(server)).outs or {})
    provider().read(NAME, outs)
    copy_out(context(server.url, server.monitor_url, Credentials()), {NAME: properties.spec(outs)})
    close_all()
    return outs


def test_at_each_request(server: NatsServer, jetstream: JetStream, tmp_path: Path) -> None:
    """Killed before every request of the stream's own part: nothing is in the way of the next run."""
    with running(tmp_path / "new") as new:
        news = _stream(new, storage="memory")
        requests = requests_of_update(_copied(server, jetstream), news)
        for request in range(requests):
            with raw_client(new.url) as raw:
                raw.ask(f"STREAM.DELETE.{NAME}")
            snapshots.delete(jetstream, server)
            olds = _copied(server, jetstream)
            update_killed_at(request, olds, news)

            found = dict(provider().read(NAME, olds).outs or {}) or olds
            assert [] == gate(new, [news]), f"after request {request}"
            provider().update(NAME, found, news)
            with raw_client(new.url) as raw:
                assert MESSAGES == raw.info(NAME)["state"]["messages"]
                assert ["o.>"] == raw.info(NAME)["config"]["subjects"]
            assert jetstream.stream(NAME) is None
            close_all()
