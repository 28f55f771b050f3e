"""``streams metrics`` against a real server: printed, in a file, and scraped."""

from __future__ import annotations

import json
import signal
import urllib.request
from pathlib import Path

import pytest

from provisioner.catalogue import reader
from provisioner.cli.main import main
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.schema.config import with_fields
from tests.support.metrics import serving, words
from tests.support.nats_server import NatsServer
from tests.support.prometheus_text import read
from tests.support.raw_nats import RawClient
from tests.support.requests import recorded
from tests.support.waiting import until

CATALOGUE = "ORDERS: {subjects: [orders], max_bytes: 1MiB, consumers: {billing: }}\nGONE: {subjects: [gone]}\n"
DEADLINE_S = 30


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue."""
    written = tmp_path / "streams.yaml"
    written.write_text(CATALOGUE)
    return written


@pytest.fixture
def estate(jetstream: JetStream, file: Path) -> JetStream:
    """A server that has one of its two streams, and the consumer."""
    catalogue = reader.load(file)
    jetstream.create(catalogue.streams[0].config)
    consumers.make(jetstream, "ORDERS", catalogue.consumers[0].config)
    return jetstream


def scraped(address: str) -> dict[str, float]:
    """What a scrape gets."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=DEADLINE_S) as answer:
        return read(answer.read().decode())


def test_printed_and_in_a_file(
    estate: JetStream,
    server: NatsServer,
    raw: RawClient,
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Text that Prometheus's own parser reads: what is held, wanted, missing and drifted."""
    raw.request("orders", b"x" * 100)
    estate.update(with_fields(reader.load(file).streams[0].config, {"max_bytes": 2**19}))
    assert 0 == main(words(server, file))
    shown = read(capsys.readouterr().out)
    assert 0 == main(words(server, file, "--output", str(tmp_path / "streams.prom")))
    written = read((tmp_path / "streams.prom").read_text())
    for found in (shown, written):
        assert {
            "streams_server_answered": 1,
            "streams_stream_missing GONE": 1,
            "streams_stream_missing ORDERS": 0,
            "streams_stream_drifted ORDERS": 1,
            "streams_stream_messages ORDERS": 1,
            "streams_stream_max_bytes ORDERS": 2**19,
            "streams_stream_wanted_max_bytes ORDERS": 2**20,
            "streams_consumer_pending billing ORDERS": 1,
            "streams_consumer_missing billing ORDERS": 0,
        }.items() <= found.items()
    assert ["streams.prom", "streams.yaml"] == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.usefixtures("estate")
def test_each_scrape_asks_again(server: NatsServer, raw: RawClient, file: Path) -> None:
    """A message shows in the next scrape; a catalogue that is broken meanwhile is said once, and no sample comes."""
    with serving(server, file) as (process, address):
        assert 0 == scraped(address)["streams_stream_messages ORDERS"]
        raw.request("orders", b"x")
        assert 1 == scraped(address)["streams_stream_messages ORDERS"]
        file.write_text("ORDERS: {max_agee: 7d}\n")
        assert [{}, {}] == [scraped(address), scraped(address)]
        file.write_text(CATALOGUE)
        assert 1 == scraped(address)["streams_server_answered"]
        process.send_signal(signal.SIGTERM)
        _out, said = process.communicate(timeout=DEADLINE_S)
    assert (0, f"{file}:1: ORDERS.max_agee: unknown field; did you mean max_age?\n") == (process.returncode, said)


def test_it_reads_and_nothing_else(
    estate: JetStream, server: NatsServer, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The account, the list of streams, and the consumers of those that have some in the catalogue, each once."""
    with recorded(estate, "$JS.API.>") as requests:
        assert 0 == main(words(server, file))
    assert ["$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.CONSUMER.LIST.ORDERS"] == requests
    assert "streams_server_answered 1.0" in capsys.readouterr().out


def test_it_outlasts_the_server(tmp_path: Path, file: Path) -> None:
    """A server that is down is a sample, not an end; when it is back, so are its figures."""
    server = NatsServer(tmp_path)
    server.start()
    try:
        with serving(server, file) as (_process, address):
            server.kill()
            assert 0 == scraped(address)["streams_server_answered"]
            server.start()
            assert until("it answers", lambda: scraped(address)["streams_server_answered"]) == 1
    finally:
        server.kill()


def test_when_the_last_up_was(
    server: NatsServer, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Out of Pulumi's history: the newest update that succeeded, whatever was tried after it."""
    history = tmp_path / "history"
    history.mkdir()
    entries = (
        ("update", "succeeded", 100),
        ("update", "succeeded", 200),
        ("update", "failed", 300),
        ("destroy", "succeeded", 400),
    )
    for kind, result, end in entries:
        entry = {"kind": kind, "result": result, "endTime": end}
        (history / f"dev-{end}000000000.history.json").write_text(json.dumps(entry))
    assert 0 == main(words(server, file, "--history", str(history)))
    assert 200 == read(capsys.readouterr().out)["streams_last_up_timestamp_seconds"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--listen", "localhost:9422"),
            "--listen localhost:9422: 'localhost' is not an IP address; write it like 127.0.0.1:9422",
        ),
        (("--listen", "many"), "--listen many: 'many' is not a port; write it like 127.0.0.1:9422"),
        (("--output", "/none/streams.prom"), "/none/streams.prom: cannot be written: No such file or directory"),
        (("--history", "/none"), "/none: is no folder; Pulumi has it in .pulumi/history/PROJECT/STACK"),
        (("--catalogue", "/none.yaml"), "/none.yaml: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_used(
    server: NatsServer, file: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 1, and nothing is served or written."""
    assert 1 == main(words(server, file, *options))
    assert ("", f"{said}\n") == capsys.readouterr()


def test_a_port_that_is_taken(server: NatsServer, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the address."""
    address = f"127.0.0.1:{server.ports[0]}"
    assert 1 == main(words(server, file, "--listen", address))
    assert f"--listen {address}: Address already in use\n" == capsys.readouterr().err
