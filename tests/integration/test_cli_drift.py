"""``streams drift`` against a real server: exit codes, differences as data, and how little it asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue import reader
from provisioner.cli.main import main
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.schema.config import with_fields
from tests.support.configurations import config
from tests.support.documents import blocks
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.raw_nats import RawClient
from tests.support.requests import answering, recorded

ROOT = Path(__file__).parents[2]
CATALOGUE = """\
ORDERS:
  subjects: [orders.*]
  max_age: 7d
  consumers:
    billing: {ack_wait: 1m}
    audit:
OTHER: {subjects: [other]}
ignore: [TEAM_*]
buckets: {cfg: {history: 5}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue."""
    written = tmp_path / "streams.yaml"
    written.write_text(CATALOGUE)
    return written


@pytest.fixture
def estate(jetstream: JetStream, file: Path) -> JetStream:
    """A server that has what the catalogue says."""
    make(jetstream, file)
    return jetstream


def make(client: JetStream, file: Path) -> None:
    """Everything that a catalogue says."""
    catalogue = reader.load(file)
    for spec in catalogue.streams:
        client.create(spec.config)
    for each in catalogue.consumers:
        consumers.make(client, each.stream, each.config)


def change(client: JetStream, name: str, **fields: Any) -> None:
    """Change a stream behind the catalogue's back."""
    live = client.stream(name)
    assert live
    client.update(with_fields(live.config, fields))


@pytest.mark.usefixtures("estate")
def test_no_drift(file: Path, server: NatsServer, capsys: pytest.CaptureFixture[str]) -> None:
    """One line and exit code 0."""
    assert 0 == main(["drift", "--catalogue", str(file), "--url", server.url])
    assert ("no drift: 3 streams and 2 consumers compared\n", "") == capsys.readouterr()


def test_every_difference_is_a_line(
    estate: JetStream, file: Path, server: NatsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """What, where, wanted and live; exit code 1."""
    change(estate, "ORDERS", max_age=10**12, description="by\nhand")
    change(estate, "KV_cfg", max_msgs_per_subject=3)
    consumers.remove(estate, "ORDERS", "audit")
    estate.delete("OTHER")
    assert 1 == main(["drift", "--catalogue", str(file), "--url", server.url])
    assert (
        r"""stream ORDERS          description: none (live: by\nhand)
stream ORDERS          max_age: 7d (live: 16m40s)
stream OTHER           is not on the server
bucket cfg             history: 5 (live: 3)
consumer ORDERS/audit  is not on the server
4 differences: 3 streams and 2 consumers compared
"""
        == capsys.readouterr().out
    )


def told(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """What machines are told, the exit code being the one it names."""
    capsys.readouterr()
    code = main(["drift", "--json", *options])
    out, err = capsys.readouterr()
    report: dict[str, Any] = json.loads(out)
    assert (code, "") == (report["exit_code"], err)
    return report


def test_differences_as_data(
    estate: JetStream, file: Path, server: NatsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The documented keys, values in a catalogue's words."""
    change(estate, "KV_cfg", max_age=10**12, duplicate_window=10**11)
    consumers.remove(estate, "ORDERS", "billing")
    report = told(capsys, "--catalogue", str(file), "--url", server.url)
    assert {
        "exit_code": 1,
        "error": None,
        "server": server.url,
        "compared": {"streams": 3, "consumers": 2},
        "drift": [
            {
                "kind": "bucket",
                "stream": None,
                "name": "cfg",
                "state": "drift",
                "text": ["ttl: unlimited (live: 16m40s)", "duplicate_window: 2m (live: 1m40s)"],
                "differences": [
                    {"field": "ttl", "wanted": "unlimited", "live": "16m40s"},
                    {"field": "duplicate_window", "wanted": "2m", "live": "1m40s"},
                ],
            },
            {
                "kind": "consumer",
                "stream": "ORDERS",
                "name": "billing",
                "state": "missing",
                "text": ["is not on the server"],
                "differences": [],
            },
        ],
    } == report


def test_what_is_not_in_the_catalogue_counts_where_asked(
    estate: JetStream, raw: RawClient, file: Path, server: NatsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Streams and durable consumers beside it; what the catalogue ignores, and what comes and goes, never."""
    for name in ("MORE", "TEAM_A", "KV_more"):
        estate.create(config(name, subjects=[f"x.{name}"]))
    raw.add_consumer("OTHER", "stranger")
    raw.ask("CONSUMER.CREATE.OTHER", {"stream_name": "OTHER", "config": {"ack_policy": "explicit"}})
    options = ("--catalogue", str(file), "--url", server.url)
    assert 0 == told(capsys, *options)["exit_code"]
    drift = told(capsys, *options, "--unmanaged")["drift"]
    assert [
        ("key-value bucket", None, "more", "unmanaged"),
        ("stream", None, "MORE", "unmanaged"),
        ("consumer", "OTHER", "stranger", "unmanaged"),
    ] == [(each["kind"], each["stream"], each["name"], each["state"]) for each in drift]


def test_what_it_asks(estate: JetStream, file: Path, server: NatsServer, capsys: pytest.CaptureFixture[str]) -> None:
    """One request for all streams, and one for the consumers of each stream whose consumers the catalogue has."""
    with recorded(estate, "$JS.API.>") as requests:
        assert 0 == told(capsys, "--catalogue", str(file), "--url", server.url)["exit_code"]
    assert ["$JS.API.STREAM.LIST", "$JS.API.CONSUMER.LIST.ORDERS"] == requests


@pytest.fixture
def guarded(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NatsServer]:
    """A server with what the catalogue says, the documented user, and one that may ask for streams only."""
    text = next(block.text for block in blocks(ROOT / "docs/operations.md") if block.mark == "permissions")
    narrow = '{user: narrow, password: narrow, permissions: {publish: "$JS.API.STREAM.LIST", subscribe: "_INBOX.>"}}'
    users = f"users: [\n {{user: admin, password: admin}}\n {narrow}"
    authorization = text.replace("users: [", users, 1).replace("$DRIFT_PASSWORD", "secret")
    with running(tmp_path / "nats", authorization) as server:
        with closing(JetStream(server.url, Credentials("admin", "admin"))) as admin:
            make(admin, file)
            admin.delete("OTHER")
        monkeypatch.setenv("NATS_URL", server.url)
        yield server


@pytest.mark.usefixtures("guarded")
def test_reading_is_enough(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The user in the documentation sees everything that there is to see."""
    for name, value in {"USER": "drift", "PASSWORD": "secret", "INBOX_PREFIX": "_INBOX_drift"}.items():
        monkeypatch.setenv(f"NATS_{name}", value)
    for options in ((), ("--unmanaged",)):
        drift = told(capsys, "--catalogue", str(file), *options)["drift"]
        assert [("OTHER", "missing")] == [(each["name"], each["state"]) for each in drift]


@pytest.mark.usefixtures("guarded")
def test_a_permission_that_is_missing_is_no_drift(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told of what was not seen: exit code 2, and the subject to allow."""
    monkeypatch.setenv("NATS_USER", "narrow")
    monkeypatch.setenv("NATS_PASSWORD", "narrow")
    report = told(capsys, "--catalogue", str(file))
    assert (2, []) == (report["exit_code"], report["drift"])
    assert "$js.api.consumer.list.orders" in report["error"].lower()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--url", f"nats://127.0.0.1:{free_port()}"], "no NATS server answers within 3 s: connection refused"),
        (["--url", "127.0.0.1:4222"], "write it like nats://host:4222"),
        (["--catalogue", "nowhere.yaml"], "nowhere.yaml: cannot be read: No such file or directory"),
        (["--state", "nowhere.json"], "nowhere.json: cannot be read: No such file or directory"),
        (["--state", str(ROOT / "infra/streams.schema.json")], "is not the state of a stack"),
    ],
)
def test_what_cannot_be_told(
    options: list[str], error: str, file: Path, server: NatsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, in either form; neither drift nor none."""
    arguments = ["--catalogue", str(file), "--url", server.url, *options]
    report = told(capsys, *arguments)
    assert (2, []) == (report["exit_code"], report["drift"])
    assert error in report["error"]
    assert 2 == main(["drift", *arguments])
    assert ("", f"{report['error']}\n") == capsys.readouterr()


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"total": 1, "streams": [1]}'])
def test_something_else_that_answers(
    tmp_path: Path, answer: bytes, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no drift that a server is none."""
    with running(tmp_path / "nats", jetstream="") as server, answering(server.url, "$JS.API.>", answer):
        assert 2 == told(capsys, "--catalogue", str(file), "--url", server.url)["exit_code"]
