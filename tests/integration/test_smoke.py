"""The smoke test on a real server: every hop, with identities and without; what is wrong is named; nothing is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from provisioner.cli.main import main
from provisioner.flow import double
from provisioner.flow.real import ELSEWHERE
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumer, pause, remove, update
from provisioner.jetstream.target import Credentials
from provisioner.schema.config import with_fields
from provisioner.services.model import LoginKind
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import raw_client
from tests.support.services import ROOT, SERVICES, Guarded, guarded
from tests.support.stack import build, everything
from tests.support.waiting import until

HOPS: Final = 11
NEXT: Final = "$JS.API.CONSUMER.MSG.NEXT.MARKET_DATA.routing-agent"
# A smoke test that stays where it is once a message is to walk.
STUCK: Final = """
import sys, time
from provisioner.cli.main import main
from provisioner.flow.double import Double
Double.carry = lambda *_: time.sleep(60)
sys.exit(main(["smoke"]))
"""
MADE_SLOWLY: Final = """
from provisioner.jetstream.client import JetStream
create = JetStream.create
JetStream.create = lambda *arguments: (create(*arguments), time.sleep(60))
"""
FAILED = re.compile(r"^CRITICAL  (.+)$", re.MULTILINE)


@pytest.fixture
def open_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NatsServer]:
    """A server without identities, with the committed streams and consumers."""
    with running(tmp_path / "nats") as server, closing(JetStream(server.url, Credentials())) as client:
        build(client)
        monkeypatch.setenv("NATS_URL", server.url)
        yield server


@pytest.fixture
def client(open_server: NatsServer) -> Iterator[JetStream]:
    """A client of it."""
    with closing(JetStream(open_server.url, Credentials())) as made:
        yield made


def handed(server: Guarded) -> str:
    """What each identity is handed, as `make smoke` hands it over."""
    logins = {name: server.credentials(name) for name in server.keys}
    return json.dumps({name: login.credentials or login.nkey for name, login in logins.items()})


@pytest.fixture(params=[LoginKind.NKEY, LoginKind.CREDS])
def closed_server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    """The same where each service has an identity of its own."""
    text = f"login: {request.param}\n{SERVICES.read_text()}"
    with guarded(tmp_path / "nats", text) as server, server.jetstream() as client:
        build(client)
        monkeypatch.setenv("NATS_URL", server.server.url)
        monkeypatch.setenv("STREAMS_IDENTITIES", handed(server))
        yield server


def smoked(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], str]:
    """The exit code, what is told of hops that failed, and everything that was printed."""
    code = main(["smoke"])
    text = "".join(capsys.readouterr())
    return code, FAILED.findall(text), text


def test_every_hop(client: JetStream, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has its row with three times; streams and consumers are as they were, to the last figure."""
    before = everything(client)
    code, failed, text = smoked(capsys)
    assert (0, []) == (code, failed)
    rows = re.findall(r"^[a-z-]+ +[a-z.]+ +[A-Z_]+/[a-z-]+( +\d+\.\d){3}$", text, re.MULTILINE)
    assert HOPS == len(rows)
    assert f"OK: {HOPS} of {HOPS} hops, " in text
    assert before == everything(client)


def test_every_hop_as_its_service(closed_server: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    """With identities, by nkey and by .creds: the services' own permissions are enough for each question."""
    with closed_server.jetstream() as client:
        before = everything(client)
        assert (0, []) == smoked(capsys)[:2]
        assert before == everything(client)


def _without_consumer(client: JetStream) -> None:
    remove(client, "ROUTING", "prediction-agent-normal")


def _without_stream(client: JetStream) -> None:
    client.delete("ROUTING")


def _full(client: JetStream) -> None:
    info = client.stream("EXPLANATIONS")
    assert info
    client.update(with_fields(info.config, {"discard": "new", "max_msgs": 1}))
    client.publish("explanations.request", b"{}", {})


def _paused(client: JetStream) -> None:
    found = consumer(client, "PREDICTIONS", "api-gateway")
    assert found
    pause(client, found, "2099-01-01T00:00:00Z")


def _filtered(client: JetStream) -> None:
    found = consumer(client, "MARKET_DATA", "routing-agent")
    assert found
    update(client, "MARKET_DATA", {**found.config, "filter_subject": "market.data.news"})


# What is done to the stack, and what is told of it.
DAMAGES: Final[dict[Callable[[JetStream], None], str]] = {
    _without_consumer: """
routing-agent -> ROUTING/prediction-agent-normal: ROUTING has no consumer prediction-agent-normal; \
make up makes those of the catalogue""",
    _without_stream: """
routing-agent -> ROUTING/prediction-agent-normal and 1 more hop: there is no stream ROUTING""",
    _full: """
explanation-worker -> EXPLANATIONS/api-gateway and 1 more hop: EXPLANATIONS is full: max_msgs 1, and discard is new""",
    _paused: """
prediction-agent-normal -> PREDICTIONS/api-gateway and 1 more hop: \
PREDICTIONS/api-gateway is paused until 2099-01-01T00:00:00Z""",
    _filtered: """
market-data-ingestion -> MARKET_DATA/routing-agent: \
MARKET_DATA/routing-agent filters market.data.news, which leaves out market.data.ohlcv
routing-agent -> ROUTING/prediction-agent-normal and 1 more hop: nothing reaches routing-agent""",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_hop_is_named(
    client: JetStream, capsys: pytest.CaptureFixture[str], damage: Callable[[JetStream], None]
) -> None:
    """What is wrong with a hop is one line, and what it keeps from the others another; nothing is left."""
    damage(client)
    before = everything(client)
    code, failed, _text = smoked(capsys)
    assert (1, DAMAGES[damage].splitlines()[1:]) == (code, [line for line in failed if " hops, " not in line])
    assert before == everything(client)


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ("publishes: [routing.*]", "this user may not publish to routing.decision"),
        ("consumes: [MARKET_DATA]", "this user may not publish to $JS.API.CONSUMER.MSG.NEXT.MARKET_DATA.routing-agent"),
    ],
)
def test_a_missing_permission_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    permission: str,
    expected: str,
) -> None:
    """The server's users are those of a file in which one line of the routing agent's is missing."""
    text = SERVICES.read_text()
    at = text.index("routing-agent:")
    less = text[:at] + text[at:].replace(f"    {permission}\n", "", 1)
    assert less != text
    with guarded(tmp_path / "nats", less) as server, server.jetstream() as client:
        build(client)
        monkeypatch.setenv("NATS_URL", server.server.url)
        monkeypatch.setenv("STREAMS_IDENTITIES", handed(server))
        code, failed, _text = smoked(capsys)
    assert 1 == code
    assert "routing-agent" in failed[0]
    assert expected in failed[0]


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:9")
    code, _failed, text = smoked(capsys)
    assert 1 == code
    assert "no NATS server answers within 3 s: connection refused, nothing listens there" in text


def test_a_server_that_stops_in_the_middle(
    open_server: NatsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hop that got no answer is named, the others are not tried; the next run removes what was left."""
    monkeypatch.setattr("provisioner.flow.double.REQUEST_TIMEOUT_S", 1.0)
    carry, seen = double.Double.carry, list[str]()

    def stopping(self: double.Double, hop: Any, *rest: Any) -> double.Carried:
        seen.append(hop.label)
        if len(seen) == 4:
            open_server.kill()
        return carry(self, hop, *rest)

    monkeypatch.setattr(double.Double, "carry", stopping)
    code, failed, text = smoked(capsys)
    assert (1, 4) == (code, len(seen))
    assert failed[0].startswith(f"{seen[3]}: ")
    assert failed[1].endswith(f" and {HOPS - 5} more hops: not tried, as {seen[3]} gave no answer")
    assert "is left, and goes with the next run" in text


def _run(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words], env=os.environ.copy(), cwd=ROOT,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.parametrize(("number", "left"), [(signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGKILL, True)])
def test_killed_in_the_middle(
    client: JetStream, capsys: pytest.CaptureFixture[str], number: signal.Signals, *, left: bool
) -> None:
    """It takes its stream with it; what SIGKILL leaves goes with the next run. The real streams have nothing of it."""
    before = everything(client)
    process = _run("-c", STUCK)
    try:
        until("the smoke test is at work", lambda: client.stream(ELSEWHERE))
        process.send_signal(number)
        process.communicate(timeout=30)
    finally:
        process.kill()
    assert left == (client.stream(ELSEWHERE) is not None)
    assert (0, []) == smoked(capsys)[:2]
    assert before == everything(client)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_killed_as_its_stream_is_made(client: JetStream, number: signal.Signals) -> None:
    """The server has it, and the run does not know yet: it is taken along all the same."""
    process = _run("-c", STUCK.replace("Double.carry = lambda *_: time.sleep(60)", MADE_SLOWLY))
    try:
        until("the stream is made", lambda: client.stream(ELSEWHERE))
        process.send_signal(number)
        process.communicate(timeout=30)
    finally:
        process.kill()
    assert client.stream(ELSEWHERE) is None


def test_two_at_once(client: JetStream) -> None:
    """The second waits until the first has gone; both do their part."""
    processes = [_run("-m", "provisioner", "smoke") for _ in range(2)]
    answers = [process.communicate(timeout=60)[0] for process in processes]
    assert [0, 0] == [process.returncode for process in processes], answers
    assert client.stream(ELSEWHERE) is None


def test_a_busy_stack(open_server: NatsServer, client: JetStream, capsys: pytest.CaptureFixture[str]) -> None:
    """A publisher and a real durable at full speed, five smoke tests beside them: it gets its messages, each once."""
    stop, sent, received = threading.Event(), list[str](), list[str]()

    def publish() -> None:
        with raw_client(open_server.url) as publisher:
            while not stop.is_set():
                publisher.publish("market.data.ohlcv", str(len(sent)).encode())
                sent.append(str(len(sent)))

    def consume() -> None:
        with closing(JetStream(open_server.url, Credentials())) as service:
            while not (stop.is_set() and len(received) >= len(sent)):
                with service.connection.transfer() as transfer:
                    transfer.send(
                        "$JS.API.CONSUMER.MSG.NEXT.MARKET_DATA.routing-agent", b'{"batch":1,"expires":5000000000}'
                    )
                    part = transfer.receive(10)
                if not part.status:
                    received.append(part.data.decode())
                    service.connection.request(part.reply, b"+ACK")

    workers = [threading.Thread(target=work) for work in (publish, consume)]
    for worker in workers:
        worker.start()
    try:
        until("messages flow", lambda: len(received) > 20)
        answers = [smoked(capsys)[:2] for _ in range(5)]
    finally:
        stop.set()
        for worker in workers:
            worker.join(30)
    assert [(0, [])] * 5 == answers
    assert sent == received
    body = client.request("CONSUMER.INFO.MARKET_DATA.routing-agent")
    assert (len(sent), len(sent), 0, 0) == (
        body["ack_floor"]["stream_seq"],
        body["delivered"]["consumer_seq"],
        body["num_redelivered"],
        body["num_pending"],
    )
