"""``streams metrics``, ``alerts`` and ``monitoring`` at a real server: printed, in a file, and served."""

from __future__ import annotations

import json
import os
import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.catalogue.reader import parse
from provisioner.cli.main import main
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.prometheus import promtool
from tests.support.requests import recorded

ROOT = Path(__file__).parents[2]
READS = ["$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.CONSUMER.LIST.*"]
CATALOGUE = "ORDERS: {subjects: [orders.*], max_age: 7d}\nGONE: {subjects: [gone]}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue."""
    written = tmp_path / "streams.yaml"
    written.write_text(CATALOGUE)
    return written


def options(file: Path, server: NatsServer) -> list[str]:
    """Where everything is."""
    return ["--catalogue", str(file), "--url", server.url, "--monitor-url", server.monitor_url]


def make(client: JetStream) -> None:
    """One of the two streams."""
    client.create(parse(CATALOGUE, "streams.yaml").streams[0].config)


def test_printed(jetstream: JetStream, server: NatsServer, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text of a scrape, by no more requests than a status."""
    make(jetstream)
    with recorded(jetstream, "$JS.API.>") as asked:
        assert 0 == main(["metrics", *options(file, server)])
    out = capsys.readouterr().out.splitlines()

    assert {'streams_stream_present{stream="ORDERS"} 1.0', 'streams_stream_present{stream="GONE"} 0.0'} <= set(out)
    assert ["$JS.API.INFO", "$JS.API.STREAM.LIST"] == sorted(asked)


def test_who_may_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Three subjects to publish to, and an inbox, are all that is needed; the document names them."""
    catalogue = tmp_path / "streams.yaml"
    catalogue.write_text("ORDERS: {subjects: [orders.*], consumers: {billing: }}\n")
    wanted = parse(catalogue.read_text(), "streams.yaml")
    allowed = json.dumps(READS)
    login = f"{{ user: look, password: look, permissions: {{ publish: {allowed}, subscribe: ['_INBOX.>'] }} }}"
    users = f"authorization {{ users: [{{ user: admin, password: admin }}, {login}] }}"
    with running(tmp_path / "nats", users) as server:
        with closing(JetStream(server.url, Credentials(user="admin", password="admin"))) as client:
            client.create(wanted.streams[0].config)
            consumers.make(client, "ORDERS", wanted.consumers[0].config)
        monkeypatch.setenv("NATS_USER", "look")
        monkeypatch.setenv("NATS_PASSWORD", "look")
        assert 0 == main(["metrics", *options(catalogue, server)])
    out = capsys.readouterr().out.splitlines()

    assert {
        "streams_server_up 1.0",
        'streams_stream_drifted{stream="ORDERS"} 0.0',
        'streams_consumer_drifted{consumer="billing",stream="ORDERS"} 0.0',
    } <= set(out)
    assert [] == [subject for subject in READS if f"`{subject}`" not in (ROOT / "docs/monitoring.md").read_text()]


def test_in_a_file(server: NatsServer, file: Path, tmp_path: Path) -> None:
    """Readable for node_exporter, whole or not at all: nothing is left beside it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "dev-1.history.json").write_text('{"kind": "update", "result": "succeeded", "endTime": 5}')
    wanted = ["--output", str(tmp_path / "out/streams.prom"), "--history", str(tmp_path)]
    assert 0 == main(["metrics", *options(file, server), *wanted])
    (written,) = (tmp_path / "out").iterdir()

    assert "streams_last_up_timestamp_seconds 5.0" in written.read_text().splitlines()
    assert stat.S_IMODE(written.stat().st_mode) & stat.S_IRGRP


def test_a_server_that_is_not_there(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is a figure, and no error: somebody watches for it."""
    assert 0 == main(["metrics", "--catalogue", str(file), "--url", f"nats://127.0.0.1:{free_port()}"])
    assert "streams_server_up 0.0" in capsys.readouterr().out.splitlines()


def test_a_catalogue_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is an error, as no figure can tell of it."""
    (tmp_path / "bad.yaml").write_text("ORDERS: {max_age: 7}\n")
    assert 1 == main(["metrics", "--catalogue", str(tmp_path / "bad.yaml")])
    assert "bad.yaml:1: ORDERS.max_age: 7 has no unit" in capsys.readouterr().err


def test_a_port_that_somebody_has(server: NatsServer, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, with what to do."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert 1 == main(["metrics", *options(file, server), "--listen", str(port)])
    assert f"127.0.0.1:{port}: Address already in use; choose another with --listen\n" == capsys.readouterr().err


@pytest.mark.parametrize("address", ["x", "localhost:", "1:70000"])
def test_no_address(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Usage, with how to write one."""
    assert 64 == main(["metrics", "--listen", address])
    assert f"{address!r} is not a port, or a host and a port; write it like 127.0.0.1:9770" in capsys.readouterr().err


def test_the_rules_of_the_committed_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prometheus takes them, without a complaint."""
    wanted = ["alerts", "--catalogue", str(ROOT / "infra/streams.yaml")]
    assert [0, 0] == [main(wanted), main([*wanted, "--output", str(tmp_path / "rules.yml")])]
    assert capsys.readouterr().out == (tmp_path / "rules.yml").read_text()
    checked = promtool("check", "rules", str(tmp_path / "rules.yml"))
    assert (0, "") == (checked.returncode, checked.stderr)


def test_the_files_for_prometheus_and_grafana(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prometheus takes its own; containers may read all of it, whatever the umask; how to run it is said."""
    folder, before = tmp_path / "watch", os.umask(0o077)
    assert 0 == main(["monitoring", "--to", str(folder), "--catalogue", str(file), "--exporter", "http://n1:8222"])
    os.umask(before)
    checked = promtool("check", "config", str(folder / "prometheus/prometheus.yml"))

    assert (0, "") == (checked.returncode, checked.stderr)
    assert {0o644} == {stat.S_IMODE(each.stat().st_mode) for each in folder.rglob("*") if each.is_file()}
    assert {0o755} == {stat.S_IMODE(each.stat().st_mode) for each in (folder, *folder.rglob("*")) if each.is_dir()}
    assert "JetStream streams" == json.loads((folder / "grafana/dashboards/streams.json").read_text())["title"]
    assert f"docker compose --file {folder}/compose.yaml up" in capsys.readouterr().out
