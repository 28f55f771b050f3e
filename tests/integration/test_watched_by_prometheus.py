"""A real Prometheus, which has the catalogue's rules and scrapes ``streams metrics`` of a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioner.catalogue.reader import load
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.schema.config import with_fields
from provisioner.watching.files import monitoring_files
from provisioner.watching.places import Places
from tests.support.nats_server import NatsServer
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus, prometheus, promtool
from tests.support.raw_nats import RawClient
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
CATALOGUE = """\
ORDERS:
  subjects: [orders.*]
  max_msgs: 10
  max_age: 1d
  consumers:
    billing: {watch: {lag: {warning: 5, critical: 100}}}
SHORT: {subjects: [short], max_age: 1h}
"""
DEADLINE_S = 40.0

FULL = ("StreamNearlyFull", "critical", "ORDERS")
BEHIND = ("ConsumerBehind", "warning", "ORDERS")
MISSING = ("StreamMissing", "critical", "ORDERS")
DRIFTED = ("StreamDrifted", "warning", "SHORT")
SILENT = ("MetricsMissing", "critical", "")


@contextmanager
def metrics(file: Path, server: NatsServer, port: int) -> Iterator[None]:
    """``streams metrics --listen``, until it is ended."""
    options = ["--catalogue", str(file), "--url", server.url, "--monitor-url", server.monitor_url]
    command = [sys.executable, "-m", "provisioner", "metrics", "--listen", str(port), *options]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def write(folder: Path, file: Path, port: int) -> Path:
    """The files for Prometheus, with nothing held back and a look every second."""
    places = Places(metrics=f"127.0.0.1:{port}", interval_s=1)
    for path, text in monitoring_files(load(file), places, held_ns=0).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder / "prometheus/prometheus.yml"


def await_alerts(watching: Prometheus, *expected: tuple[str, str, str]) -> None:
    """Exactly these fire."""
    until(f"alerts are {expected}", lambda: set(expected) == watching.firing(), DEADLINE_S)


def test_alerts_come_and_go(jetstream: JetStream, raw: RawClient, server: NatsServer, tmp_path: Path) -> None:
    """Of a full stream, a consumer behind, a changed limit, a deleted stream, a bad catalogue, and silence."""
    file, port = tmp_path / "streams.yaml", free_port()
    file.write_text(CATALOGUE)
    catalogue = load(file)
    orders, short = (spec.config for spec in catalogue.streams)
    for config in (orders, short):
        jetstream.create(config)
    consumers.make(jetstream, "ORDERS", catalogue.consumers[0].config)
    written = write(tmp_path, file, port)
    checked = promtool("check", "config", str(written))
    assert (0, "") == (checked.returncode, checked.stderr)
    with prometheus(tmp_path, written) as watching:
        with metrics(file, server, port):
            until("a scrape", lambda: watching.value("streams_server_up"), DEADLINE_S)
            await_alerts(watching)

            for _ in range(10):
                raw.publish("orders.new", b"1")
            await_alerts(watching, FULL, BEHIND)
            raw.ask("STREAM.PURGE.ORDERS")
            await_alerts(watching)

            jetstream.update(with_fields(short, {"max_age": 10**12}))
            await_alerts(watching, DRIFTED)
            jetstream.update(short)
            jetstream.delete("ORDERS")
            await_alerts(watching, MISSING)
            jetstream.create(orders)
            consumers.make(jetstream, "ORDERS", catalogue.consumers[0].config)
            await_alerts(watching)

            file.write_text("ORDERS: {max_age: 7}\n")
            await_alerts(watching, SILENT)
            file.write_text(CATALOGUE)
            await_alerts(watching)
        await_alerts(watching, SILENT)
