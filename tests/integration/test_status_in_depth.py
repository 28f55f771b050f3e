"""``streams status`` with thresholds, of one stream, for Nagios, and watched, against a real server."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from nats.js.client import JetStreamContext

from provisioner.catalogue import reader
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from tests.support.nats_py import at_work
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import RawClient, raw_client
from tests.support.status import ROOT, found, states, status, told
from tests.support.terminal import Terminal, on_a_terminal
from tests.support.waiting import until

CATALOGUE = """\
ORDERS:
  subjects: [orders.*]
  max_msgs: 10
  max_age: 7d
  consumers:
    billing: {ack_wait: 100ms, max_ack_pending: 1}
COPY: {mirror: {name: ORDERS}}
buckets: {cfg: {history: 5}}
"""
MIRRORED = 9
ALONE = ("--monitor-url", "")
RESTORED = "\x1b[?25h\x1b[?1049l"


@pytest.fixture
def catalogue(jetstream: JetStream, raw: RawClient, tmp_path: Path) -> str:
    """A catalogue that the server has, with nine messages, of which one consumer has two, one of them twice."""
    file = tmp_path / "streams.yaml"
    file.write_text(CATALOGUE)
    make(jetstream, file)
    for number in range(9):
        raw.publish(f"orders.{min(number, 1)}")
    return str(file)


def make(client: JetStream, file: Path) -> None:
    """Everything that the catalogue says."""
    catalogue = reader.load(file)
    for spec in catalogue.streams:
        client.create(spec.config)
    for each in catalogue.consumers:
        consumers.make(client, each.stream, each.config)


def test_thresholds_as_options(catalogue: str, server: NatsServer) -> None:
    """A level that is reached is a warning or critical, and decides the exit code."""
    options = ("--catalogue", catalogue, *ALONE)
    report = told(server, *options)
    assert (1, "nearly full") == (report["exit_code"], states(report)["ORDERS"])
    assert 0 == told(server, *options, "--used-warning", "91%")["exit_code"]
    report = told(server, *options, "--used-critical", "90")
    assert "90 % of max_msgs" in found(report, "CRITICAL")["ORDERS"]
    report = told(server, *options, "--lag-warning", "5", "--lag-critical", "9")
    assert (2, {"ORDERS/billing": "9 messages yet to be delivered"}) == (report["exit_code"], found(report, "CRITICAL"))
    report = told(server, *options, "--no-message-for", "1ms")
    assert {"ORDERS", "COPY", "KV_cfg"} == found(report, "WARNING").keys()


def test_redeliveries(catalogue: str, server: NatsServer) -> None:
    """Messages that a consumer got twice and has not acknowledged."""
    at_work(server, _fetched_twice)
    options = ("--catalogue", catalogue, *ALONE, "--redelivered-warning", "1")
    report = told(server, *options)
    figures = {key: report["consumers"][0][key] for key in ("pending", "unacknowledged", "redelivered")}
    assert {"pending": 8, "unacknowledged": 1, "redelivered": 1} == figures
    assert "redelivering" == report["consumers"][0]["state"]


async def _fetched_twice(js: JetStreamContext) -> None:
    """One message, and after its ack_wait once more."""
    billing = await js.pull_subscribe_bind("billing", stream="ORDERS")
    for _ in range(2):
        await billing.fetch(1, timeout=5)


def test_one_stream_in_depth(catalogue: str, raw: RawClient, server: NatsServer) -> None:
    """Every setting, its subjects with counts, what is beside the catalogue; nothing of the others."""
    raw.add_consumer("ORDERS", "stranger")
    done = status(server, "ORDERS", "--catalogue", catalogue, *ALONE)
    lines = [line.split() for line in done.stdout.splitlines()]
    for line in (
        ["max_age", "7d"],
        ["persist_mode", "default"],
        ["stranger", "9", "0", "0"],
        ["orders.1", "8"],
        ["orders.0", "1"],
        ["ORDERS/billing", "ok", "all", "9", "0", "0", "0"],
    ):
        assert line in lines
    assert "COPY" not in done.stdout
    assert done.stdout.endswith("WARNING: 1 stream: 1 nearly full; 1 consumer: 1 ok\n")


def test_a_mirror_in_depth(catalogue: str, server: NatsServer) -> None:
    """Its origin, and how far it is behind."""

    def complete() -> dict[str, Any] | None:
        detail: dict[str, Any] = told(server, "COPY", "--catalogue", catalogue, *ALONE)["detail"]
        return detail if sum(each["messages"] for each in detail["subjects"]) == MIRRORED else None

    detail = until("the copy is complete", complete)
    (origin,) = detail["origins"]
    assert ("ORDERS", "", [], 0, "") == tuple(origin[key] for key in ("name", "api", "filters", "lag", "error"))
    assert [{"subject": "orders.1", "messages": 8}, {"subject": "orders.0", "messages": 1}] == detail["subjects"]


def test_a_bucket_by_its_name(catalogue: str, server: NatsServer) -> None:
    """As its users call it; a stream that is not in the catalogue is unknown."""
    assert ["KV_cfg"] == [each["name"] for each in told(server, "cfg", "--catalogue", catalogue, *ALONE)["streams"]]
    report = told(server, "ORDER", "--catalogue", catalogue)
    assert {"input": "ORDER: is not in the catalogue; did you mean ORDERS?"} == found(report, "UNKNOWN")


def test_nagios_reads_one_line(catalogue: str, server: NatsServer) -> None:
    """The line of `nats server check stream` for one stream, with the levels in the stream's own units."""
    options = ("--catalogue", catalogue, *ALONE, "--format", "nagios")
    done = status(server, "ORDERS", *options, "--lag-critical", "100")
    said = "WARNING ORDERS Warn:ORDERS 90 % of max_msgs: then the oldest are dropped before max_age | "
    figures = "billing.ack_pending=0 billing.pull_waiting=0 billing.pending=9;;100 billing.redelivered=0"
    assert (1, f"{said}messages=9;8;10 bytes=405B subjects=2 consumers=1 {figures}\n") == (done.returncode, done.stdout)
    server_is_away = status(server, *options, "--url", "nats://127.0.0.1:1")
    assert 2 == server_is_away.returncode
    assert server_is_away.stdout.startswith("CRITICAL streams Crit:$JS.API.INFO nats://127.0.0.1:1: no NATS server")
    assert 1 == server_is_away.stdout.count("\n")


def test_unmanaged_streams_can_be_a_warning(catalogue: str, raw: RawClient, server: NatsServer) -> None:
    """Where that is asked for, and the catalogue does not ignore them."""
    for name in ("MORE", "TEAM_A"):
        raw.ask(f"STREAM.CREATE.{name}", {"name": name, "subjects": [f"x.{name}"]})
    Path(catalogue).write_text(f"{CATALOGUE}ignore: [TEAM_*]\n")
    options = ("--catalogue", catalogue, *ALONE, "--used-warning", "100")
    assert 0 == told(server, *options)["exit_code"]
    report = told(server, *options, "--unmanaged", "warn")
    assert (1, {"MORE"}) == (report["exit_code"], {*found(report, "WARNING")})


def watched(catalogue: str, server: NatsServer, *options: str) -> tuple[list[str], Path, dict[str, str]]:
    """The command, its folder and its environment, without the size of the terminal that the tests run on."""
    foreign = ("NATS_", "COLUMNS", "LINES")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    command = [sys.executable, "-m", "provisioner", "status", *options, "--catalogue", catalogue, "--watch", "0.2"]
    urls = {"NATS_URL": server.url, "NATS_MONITOR_URL": server.monitor_url, "TERM": "xterm"}
    return command, ROOT, clean | urls


def test_watched_while_the_server_goes_away(tmp_path: Path) -> None:
    """The server's end is shown, and its return, and rates; SIGTERM leaves a tidy terminal."""
    file = tmp_path / "streams.yaml"
    file.write_text("ORDERS: {subjects: [orders], consumers: {billing: {}}}\n")
    with running(tmp_path / "nats", jetstream="sync_interval: always") as server:
        with raw_client(server.url) as raw:
            raw.ask("STREAM.CREATE.ORDERS", {"name": "ORDERS", "subjects": ["orders"]})
            raw.add_consumer("ORDERS", "billing")
        with on_a_terminal(*watched(str(file), server)) as terminal:
            terminal.shows("OK: 1 stream: 1 ok; 1 consumer: 1 ok", "In/s", "Out/s")
            server.kill()
            terminal.shows("CRITICAL: 1 stream: 1 unknown", "connection refused")
            server.start()
            terminal.shows("OK: 1 stream: 1 ok; 1 consumer: 1 ok")
            assert 0 == _ended(terminal, signal.SIGTERM)


def test_one_stream_watched(catalogue: str, server: NatsServer) -> None:
    """Subjects and settings below the figures; Ctrl-C leaves a tidy terminal, too."""
    with on_a_terminal(*watched(catalogue, server, "ORDERS")) as terminal:
        terminal.shows("WARNING: 1 stream: 1 nearly full", "orders.1", "max_msgs_per_subject")
        assert 0 == _ended(terminal, signal.SIGINT)


def _ended(terminal: Terminal, how: int) -> int:
    code = terminal.end(how)
    assert terminal.text.endswith(RESTORED)
    assert "Traceback" not in terminal.text
    return code


def test_a_pipe_is_not_watched(server: NatsServer) -> None:
    """One line, and no state of health."""
    done = status(server, "--watch")
    line = "streams status: --watch draws on a terminal; for a pipe or a program leave it out\n"
    assert (64, "", line) == (done.returncode, done.stdout, done.stderr)
