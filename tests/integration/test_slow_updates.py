"""Updates that take the server longer than a request may: waited for by evidence, and told for what they are."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import nats
import pytest

from provisioner.errors import Unreachable
from provisioner.jetstream import connection
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.reconcile import trimming
from provisioner.reconcile.context import Context
from provisioner.reconcile.server_view import ServerView
from provisioner.schema.model import StreamConfig, StreamInfo
from tests.support.configurations import config
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import raw_client
from tests.support.waiting import until

SUBJECTS, EACH = 8_000, 10  # the time of a trim grows with their square: 2 s on a fast machine
NAME = "ORDERS"
TRIMMED: StreamConfig = config(subjects=["o.>"], max_msgs_per_subject=1)
pytestmark = pytest.mark.usefixtures("own_process", "_impatient")


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server with a stream of many subjects."""
    with running(tmp_path / "nats") as server:
        with closing(JetStream(server.url, Credentials())) as client:
            client.create(config(subjects=["o.>"]))
            asyncio.run(_fill(server.url))
            until("every message is stored", lambda: client.state(NAME)["messages"] == SUBJECTS * EACH, 60)
        yield server


async def _fill(url: str) -> None:
    client = await nats.connect(url)
    for number in range(SUBJECTS * EACH):
        await client.publish(f"o.{number % SUBJECTS}", b"payload")
        if number % 1_000 == 0:
            await client.flush()
    await client.close()


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request's deadline that every trim outlasts."""
    monkeypatch.setattr(connection, "REQUEST_TIMEOUT_S", 0.3)


@pytest.fixture
def context(nats_server: NatsServer) -> Iterator[Context]:
    """A run on the server."""
    context = Context(ServerView(nats_server.url, None, Credentials()))
    yield context
    context.server.close()


def test_a_trim_longer_than_a_request(context: Context, capfd: pytest.CaptureFixture[str]) -> None:
    """The update succeeds, what is going on is told once, and every message that was to go is gone."""
    assert SUBJECTS == trimming.update(context, TRIMMED).messages
    (line,) = [line for line in capfd.readouterr().err.splitlines() if NAME in line]
    assert line.startswith(f"{NAME}: the server has accepted the change and is still deleting, with ")
    assert line.endswith(" left; waiting for it")


def test_a_trim_longer_than_the_longest(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given up in the end, with what is known: the change is made, and the server goes on."""
    monkeypatch.setattr(trimming, "LONGEST_REQUEST_TIMEOUT_S", 0.5)
    text = _fails(context, TRIMMED)
    assert text.startswith(f"{NAME}: the server has accepted the change and is still deleting, with ")
    assert text.endswith("streams status shows how many are left")
    until("the server is done", lambda: _info(context).messages == SUBJECTS, 60)


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_server_that_stops_in_the_middle(context: Context, nats_server: NatsServer, how: signal.Signals) -> None:
    """Without evidence nobody waits: a server that does not answer, or a connection that is lost."""
    process = nats_server.process
    assert process
    killer = threading.Timer(0.15, process.send_signal, [how])
    killer.start()
    text = _fails(context, TRIMMED)
    killer.join()
    process.send_signal(signal.SIGCONT)
    assert "no answer to $JS.API.STREAM.UPDATE.ORDERS within 0.3 s" in text or "the connection was lost" in text


def test_an_update_that_never_arrives(
    context: Context, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers everything else and has the old settings: not waited for long."""
    monkeypatch.setattr(trimming, "ARRIVAL_TIMEOUT_S", 1.0)
    monkeypatch.setattr(JetStream, "long_update", _lost)
    with raw_client(nats_server.url) as raw, raw.recorded("nowhere"):
        assert "no answer to nowhere within 0.3 s" in _fails(context, TRIMMED)
    assert -1 == _info(context).config["max_msgs_per_subject"]


def test_an_answer_that_is_lost(context: Context, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream has the new settings and goes on taking messages: done, without waiting for what will not come."""
    monkeypatch.setattr(trimming, "QUIET_TIMEOUT_S", 1.0)
    monkeypatch.setattr(JetStream, "long_update", _unanswered)
    changed = config(subjects=["o.>"], description="changed")
    with raw_client(nats_server.url) as raw, raw.recorded("nowhere"):
        assert "changed" == trimming.update(context, changed).config["description"]


def test_an_answer_that_is_lost_before_the_trim_is_over(
    context: Context, monkeypatch: pytest.MonkeyPatch, nats_server: NatsServer
) -> None:
    """A stream that has the new settings and more than they allow is not done, however long it has been quiet."""
    monkeypatch.setattr(trimming, "QUIET_TIMEOUT_S", -1.0)
    monkeypatch.setattr(JetStream, "long_update", _unanswered)
    with raw_client(nats_server.url) as raw, raw.recorded("nowhere"):
        assert SUBJECTS == trimming.update(context, TRIMMED).messages


def _unanswered(client: JetStream, config: StreamConfig, is_at_work: Callable[[], bool]) -> StreamInfo:
    """Update, and wait where nobody answers."""
    with suppress(Unreachable):
        client.update(config)
    return _lost(client, config, is_at_work)


def _lost(client: JetStream, _config: StreamConfig, is_at_work: Callable[[], bool]) -> StreamInfo:
    """Send the update where nobody answers."""
    client.connection.long_request("nowhere", b"", is_at_work)
    raise AssertionError("there is an answer")


def _fails(context: Context, config: StreamConfig) -> str:
    with pytest.raises(Unreachable) as caught:
        trimming.update(context, config)
    return str(caught.value)


def _info(context: Context) -> StreamInfo:
    info = context.client().stream(NAME)
    assert info
    return info
