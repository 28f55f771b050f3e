"""``streams status`` as its users run it, against a real server."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nats
import pytest

from provisioner.backup.archive import backup
from provisioner.backup.carry_folder import CARRY_TO, CarryFolder
from provisioner.catalogue import reader as catalogue
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import make
from provisioner.schema.config import with_fields
from tests.support.configurations import config
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.requests import answering
from tests.support.snapshots import silent
from tests.support.status import found, states, status, told

ROOT = Path(__file__).parents[2]
CATALOGUE = catalogue.load(ROOT / "infra/streams.yaml")
SPECS = {spec.name: spec for spec in CATALOGUE.streams}
DEADLINE_S = 30


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that writes a message to the disk before it acknowledges it, as those of a stack's own."""
    limits = "max_file_store: 20GB, max_mem: 1GB, sync_interval: always"
    with running(tmp_path_factory.mktemp("nats"), jetstream=limits) as started:
        yield started


@pytest.fixture
def estate(jetstream: JetStream) -> JetStream:
    """A server that holds the five streams and their consumers as the catalogue says."""
    for spec in SPECS.values():
        jetstream.create(spec.config)
    for consumer in CATALOGUE.consumers:
        make(jetstream, consumer.stream, consumer.config)
    return jetstream


def change(estate: JetStream, name: str, **fields: Any) -> None:
    """Change a stream behind the catalogue's back."""
    estate.update(with_fields(SPECS[name].config, fields))


def publish(url: str, subject: str, payload: bytes) -> None:
    """Store one message, and make a key-value bucket, as services do."""

    async def session() -> None:
        client = await nats.connect(url)
        try:
            await client.jetstream().publish(subject, payload)
            await client.jetstream().create_key_value(bucket="cfg")
        finally:
            await client.close()

    asyncio.run(session())


@pytest.mark.usefixtures("estate")
def test_healthy(server: NatsServer) -> None:
    """The five streams in a table, a line for each thing asked of the server, exit code 0."""
    publish(server.url, "routing.event", b"x" * 1000)
    done = status(server)
    assert (0, "") == (done.returncode, done.stderr)
    for text in (
        *SPECS,
        "routing.event",
        "max_bytes 10.0 GiB",
        "Not in the catalogue: key-value bucket cfg",
    ):
        assert text in done.stdout
    for asked in ("/healthz", "/varz", "/jsz", "/connz", "/subsz", "$JS.API.INFO"):
        assert f"OK        {asked:<12}" in done.stdout
    assert re.search(r"last \d+s ago", done.stdout)
    assert "\x1b" not in done.stdout
    assert done.stdout.endswith("OK: 5 streams: 5 ok; 9 consumers: 9 ok\n")


@pytest.mark.usefixtures("estate")
def test_healthy_as_json(server: NatsServer) -> None:
    """Machines get every figure, none of them null, and the same verdict."""
    publish(server.url, "routing.event", b"x" * 1000)
    report = told(server)
    assert (0, "OK") == (report["exit_code"], report["severity"])
    assert None not in report["server"].values()
    routing = report["streams"][-1]
    assert ("ROUTING", "ok", 1, 2, 512 * 1024**2) == tuple(
        routing[key] for key in ("name", "state", "messages", "consumers", "max_bytes")
    )
    assert routing["bytes"] > 1000
    assert routing["first_time"] == routing["last_time"] > routing["created"]
    assert [{"name": "cfg", "kind": "key-value bucket"}] == report["unmanaged"]


def test_a_server_that_acknowledges_before_it_syncs(tmp_path: Path) -> None:
    """A warning with what a power loss costs; nothing else is wrong with the server."""
    with running(tmp_path) as server:
        report = told(server)
    assert "a power loss costs up to 2m of acknowledged messages (sync_interval)" in found(report, "WARNING")["/jsz"]


def test_drift(estate: JetStream, server: NatsServer) -> None:
    """A field changed by someone else shows with both values; exit code 1."""
    change(estate, "MARKET_DATA", max_age=86_400_000_000_000)
    done = status(server)
    assert 1 == done.returncode
    assert "max_age 7d (live: 1d)" in done.stdout
    assert done.stdout.endswith("WARNING: 5 streams: 1 drift, 4 ok; 9 consumers: 9 ok\n")


def test_nearly_full(estate: JetStream, server: NatsServer, tmp_path: Path) -> None:
    """A stream near its limit is a warning before messages are lost."""
    small = tmp_path / "streams.yaml"
    small.write_text("ROUTING: {subjects: [routing.event], max_age: 7d, max_bytes: 1100B}\n")
    estate.update(catalogue.load(small).streams[0].config)
    publish(server.url, "routing.event", b"x" * 1000)
    done = status(server, "--catalogue", str(small))
    assert 1 == done.returncode
    assert "of max_bytes: then the oldest are dropped before max_age" in done.stdout


def test_half_carried_over(
    estate: JetStream, server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was killed has left a stream in its copy only: where that is, and what completes it."""
    monkeypatch.setenv(CARRY_TO, str(tmp_path))
    folder = CarryFolder(server.url, "ROUTING")
    backup(estate, "ROUTING", folder.path, silent)
    estate.delete("ROUTING")
    report = told(server, **{CARRY_TO: str(tmp_path)})
    assert (2, "partial") == (report["exit_code"], states(report)["ROUTING"])
    assert f"half carried over: its messages are in {folder.copy}" in found(report, "CRITICAL")["ROUTING"]


def test_missing(estate: JetStream, server: NatsServer) -> None:
    """A stream that is gone is critical, beside drift too."""
    change(estate, "MARKET_DATA", max_bytes=1024)
    estate.delete("ROUTING")
    report = told(server)
    assert (2, "CRITICAL") == (report["exit_code"], report["severity"])
    assert ("drift", "missing") == (states(report)["MARKET_DATA"], states(report)["ROUTING"])


@pytest.mark.usefixtures("estate")
def test_without_monitoring(server: NatsServer) -> None:
    """A server whose monitoring URL is not known is not worse for it."""
    done = status(server, NATS_MONITOR_URL="")
    assert 0 == done.returncode
    assert "monitoring    not asked: no monitoring URL" in done.stdout


@pytest.mark.usefixtures("estate")
def test_monitoring_of_something_else(server: NatsServer) -> None:
    """A monitoring URL that nobody answers is a warning and hides no stream."""
    report = told(server, NATS_MONITOR_URL=f"http://127.0.0.1:{free_port()}")
    assert (1, {"monitoring"}) == (report["exit_code"], set(found(report, "WARNING")))
    assert {"ok"} == set(states(report).values())


def test_server_down(tmp_path: Path) -> None:
    """A dead server is critical within seconds, with one line that says so and no table of question marks."""
    with running(tmp_path) as server:
        server.kill()
        done = status(server)
    assert (2, "") == (done.returncode, done.stderr)
    assert f"CRITICAL  $JS.API.INFO  {server.url}: no NATS server answers within 3 s: connection refused" in done.stdout
    assert 3 == len(done.stdout.splitlines())


def test_server_that_hangs(tmp_path: Path) -> None:
    """A server that accepts connections and says nothing may just be slow: unknown."""
    with running(tmp_path) as server:
        assert server.process
        server.process.send_signal(signal.SIGSTOP)
        report = told(server)
        server.process.send_signal(signal.SIGCONT)
    assert (3, {"$JS.API.INFO", *SPECS}) == (report["exit_code"], {*found(report, "UNKNOWN")})


@pytest.mark.parametrize(
    "answer", [b"<html>", b"\xff", b"[]", b"{}", b'{"error": {}}', b'{"limits": 1, "storage": "x"}']
)
def test_answers_that_are_not_jetstreams(tmp_path: Path, answer: bytes) -> None:
    """Something else on the API's subjects is one line, and unknown."""
    with running(tmp_path, jetstream="") as server, answering(server.url, "$JS.API.>", answer):
        report = told(server, NATS_MONITOR_URL="")
    assert 3 == report["exit_code"]
    assert "something other than JetStream answers" in found(report, "UNKNOWN")["$JS.API.INFO"]


def test_two_names_of_one_host(tmp_path: Path) -> None:
    """Each address of a name, and each URL of a list, has to refuse before a server counts as down."""
    with running(tmp_path) as server:
        server.kill()
        url = server.url.replace("127.0.0.1", "localhost")
        assert 2 == told(server, NATS_URL=f"{url},{server.url}")["exit_code"]
        assert 3 == told(server, NATS_URL=f"{url},nats://no-such-host.invalid")["exit_code"]


def test_a_reader_that_goes_away(server: NatsServer) -> None:
    """A closed pipe ends either form silently, with a code that is no state of health."""
    for options in ([], ["--json"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [sys.executable, "-m", "provisioner", "status", *options, "--url", server.url],
            check=False, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=DEADLINE_S,
        )  # fmt: skip
        os.close(writer)
        assert (141, b"") == (done.returncode, done.stderr), options


def test_many_unmanaged_streams(estate: JetStream, server: NatsServer) -> None:
    """People get a count and the first names, machines all of them."""
    names = [f"X{number:02}" for number in range(8)]
    for name in (*names, "KV_cfg"):
        estate.create(config(name, subjects=[f"x.{name}"]))
    first = "key-value bucket cfg, stream X00, stream X01, stream X02, stream X03, …"
    line = f"Not in the catalogue: 1 key-value bucket, 8 streams: {first}; patterns under ignore: in the catalogue hide"
    assert line in status(server).stdout
    assert [*names, "cfg"] == sorted(stream["name"] for stream in told(server)["unmanaged"])


LOGIN = "authorization { user: ann, password: right }"


@pytest.mark.parametrize(
    ("environment", "code", "text"),
    [
        ({}, 3, "check user, password, token, credentials or nkey"),
        ({"NATS_USER": "ann", "NATS_PASSWORD": "wr0ng"}, 3, "check user, password, token, credentials or nkey"),
        ({"NATS_USER": "ann", "NATS_PASSWORD": "right"}, 2, "5 streams: 5 missing"),
        ({"NATS_CREDS": "/nowhere/ann.creds"}, 3, "there is no file /nowhere/ann.creds"),
    ],
)
def test_login(tmp_path: Path, environment: Mapping[str, str], code: int, text: str) -> None:
    """Credentials come from the environment; refused ones are unknown, and never shown."""
    with running(tmp_path, LOGIN) as server:
        done = status(server, **environment)
    assert (code, "") == (done.returncode, done.stderr)
    assert text in done.stdout
    assert "wr0ng" not in done.stdout


def test_permission_denied(tmp_path: Path) -> None:
    """A user who may not ask JetStream gets the name of what to allow."""
    users = "users: [{user: ann, password: right, permissions: {publish: {deny: '$JS.API.>'}}}]"
    with running(tmp_path, f"authorization {{ {users} }}") as server:
        report = told(server, NATS_USER="ann", NATS_PASSWORD="right")
    assert 3 == report["exit_code"]
    assert "$js.api.info" in found(report, "UNKNOWN")["$JS.API.INFO"].lower()


@pytest.mark.parametrize("monitoring", [True, False])
def test_jetstream_off(tmp_path: Path, *, monitoring: bool) -> None:
    """A server without JetStream is critical, whether or not its monitoring can be asked."""
    with running(tmp_path, jetstream="") as server:
        report = told(server, **({} if monitoring else {"NATS_MONITOR_URL": ""}))
    assert 2 == report["exit_code"]
    assert {"$JS.API.INFO", *(["/jsz"] if monitoring else [])} == set(found(report, "CRITICAL"))
    assert {"unknown"} == set(states(report).values())


def test_bad_url(server: NatsServer) -> None:
    """A URL of no use is one line, and unknown rather than critical."""
    done = status(server, "--url", "127.0.0.1:4222")
    assert (3, "") == (done.returncode, done.stderr)
    assert "write it like nats://host:4222" in done.stdout
