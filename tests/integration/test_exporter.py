"""The official exporter with the arguments that its container has, on real servers."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from provisioner.watching.parts import EXPORTER, parts
from provisioner.watching.places import EXPORTER_IMAGE, Places
from tests.support import exporter
from tests.support.nats_cluster import running_cluster
from tests.support.nats_server import NatsServer
from tests.support.ports import free_port
from tests.support.raw_nats import RawClient
from tests.support.waiting import until

DEADLINE_S = 30.0
SERVERS = "gnatsd_varz_max_payload"
MESSAGES = "jetstream_stream_total_messages"


@contextmanager
def exporting(folder: Path, monitor_url: str) -> Iterator[str]:
    """Run it; gives the address of its figures."""
    address = f"127.0.0.1:{free_port()}"
    (part,) = (each for each in parts(Places(exporter=address, monitor_url=monitor_url)) if each.name == EXPORTER)
    with (folder / "exporter.log").open("wb") as log:
        process = subprocess.Popen([exporter.program(), *part.command], stdout=log, stderr=log)
    try:
        yield f"http://{address}/metrics"
    finally:
        process.kill()
        process.wait(DEADLINE_S)


def figures(url: str) -> dict[str, dict[str, float]]:
    """Each figure by its name, of each server and stream by theirs."""
    found: dict[str, dict[str, float]] = {}
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - http
        for family in text_string_to_metric_families(answer.read().decode()):
            for sample in family.samples:
                of = sample.labels.get("stream_name", sample.labels.get("server_id", ""))
                found.setdefault(sample.name, {})[of] = sample.value
    return found


def test_the_image_is_the_version_that_is_tested() -> None:
    """Another one would have other arguments."""
    assert EXPORTER_IMAGE.endswith(f":{exporter.version()}")


def test_a_server(server: NatsServer, raw: RawClient, tmp_path: Path) -> None:
    """Of the server and its streams."""
    raw.ask("STREAM.CREATE.ORDERS", {"name": "ORDERS", "subjects": ["orders.*"]})
    raw.ask("STREAM.CREATE.EMPTY", {"name": "EMPTY", "subjects": ["empty"]})
    for number in range(3):
        raw.publish(f"orders.{number}", b"")
    with exporting(tmp_path, server.monitor_url) as url:
        until("the exporter has the streams", lambda: MESSAGES in figures(url), DEADLINE_S)
        assert {"ORDERS": 3.0, "EMPTY": 0.0} == figures(url)[MESSAGES]
        assert [1024.0**2] == [*figures(url)[SERVERS].values()]


def test_a_cluster(tmp_path: Path) -> None:
    """Each server's, under its address."""
    with running_cluster(tmp_path) as cluster, exporting(tmp_path, ",".join(cluster.monitor_urls)) as url:
        until("the exporter has three servers", lambda: len(figures(url).get(SERVERS, {})) == 3, DEADLINE_S)
        assert {*cluster.monitor_urls} == figures(url)[SERVERS].keys()
