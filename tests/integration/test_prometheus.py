"""From the server to the alert: a real Prometheus that scrapes ``streams metrics`` on a real nats-server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from provisioner.catalogue import reader
from provisioner.cli.main import main
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support import prometheus
from tests.support.metrics import serving
from tests.support.nats_server import NatsServer, running
from tests.support.prometheus import Prometheus
from tests.support.raw_nats import raw_client
from tests.support.waiting import until

CATALOGUE = """\
ORDERS: {subjects: [orders], max_msgs: 10, discard: new, max_bytes: 1MiB, consumers: {billing: }}
RETURNS: {subjects: [returns], max_msgs: 10, discard: new}
"""
DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NatsServer, JetStream, Prometheus, Path]]:
    """A server as the catalogue says, and whoever watches it with the files of ``streams monitoring``."""
    folder = tmp_path_factory.mktemp("watched")
    file, files = folder / "streams.yaml", folder / "monitoring"
    file.write_text(CATALOGUE)
    with running(folder / "nats") as server, closing(JetStream(server.url, Credentials())) as client:
        catalogue = reader.load(file)
        for spec in catalogue.streams:
            client.create(spec.config)
        for each in catalogue.consumers:
            consumers.make(client, each.stream, each.config)
        with serving(server, file) as (_process, address):
            assert 0 == main(["monitoring", "--catalogue", str(file), "--to", str(files), "--metrics", address])
            prometheus.hasten(files)
            with prometheus.running(files) as started:
                until(
                    "it has scraped twice", lambda: started.query("rate(streams_stream_last_sequence[1m])"), DEADLINE_S
                )
                yield server, client, started, files


def fires(prometheus: Prometheus, alert: str) -> bool:
    """Whether it fires."""
    return alert in prometheus.alerts()


def test_a_full_stream(watched: tuple[NatsServer, JetStream, Prometheus, Path]) -> None:
    """Its alert comes with the tenth message, its neighbour's does not; once there is room again it goes."""
    server, client, started, _files = watched
    assert set() == started.alerts()
    with raw_client(server.url) as publisher:
        for _ in range(10):
            publisher.request("orders", b"x")
    until("it fires", partial(fires, started, "StreamNearlyFull ORDERS"), DEADLINE_S)
    assert {"StreamNearlyFull ORDERS"} == started.alerts()
    client.request("STREAM.PURGE.ORDERS")
    until("it does not fire any more", lambda: not started.alerts(), DEADLINE_S)


def test_a_deleted_stream(watched: tuple[NatsServer, JetStream, Prometheus, Path]) -> None:
    """Its alert comes, and goes when the stream is made again."""
    _server, client, started, _files = watched
    config = client.streams()["RETURNS"].config
    client.delete("RETURNS")
    until("it fires", partial(fires, started, "StreamMissing RETURNS"), DEADLINE_S)
    assert {"StreamMissing RETURNS"} == started.alerts()
    client.create(config)
    until("it does not fire any more", lambda: not started.alerts(), DEADLINE_S)


def test_every_panel_has_something_to_show(watched: tuple[NatsServer, JetStream, Prometheus, Path]) -> None:
    """Each query of the dashboard has a result, but where there is nothing: no up, no TLS, no message."""
    server, client, started, files = watched
    with raw_client(server.url) as publisher:
        publisher.request("returns", b"x")
    until("it is seen", lambda: started.query("streams_stream_first_message_timestamp_seconds"), DEADLINE_S)
    board = json.loads((files / "grafana/dashboards/streams.json").read_text())
    queries = [
        (panel["title"], target["expr"].replace("$__rate_interval", "1m"))
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]
    empty = [title for title, expression in queries if not started.query(expression)]
    client.request("STREAM.PURGE.RETURNS")
    assert [
        "Since the last up",
        "The first certificate ends in",
        "Age of the oldest message",  # of ORDERS, which is empty
        "Messages in and out",  # of RETURNS, which has no consumer
        "Bytes, of the most there may be",  # of RETURNS, which has no max_bytes
    ] == empty
