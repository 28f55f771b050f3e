"""Two stacks with the same consumer and bucket, and a server that hangs while a consumer is replaced."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from tests.support.nats_server import NatsServer, running
from tests.support.provider_stack import Stack
from tests.support.raw_nats import RawClient, raw_client

pytestmark = pytest.mark.usefixtures("own_process")

WITH = "ORDERS:\n  subjects: [orders.*]\n  consumers:\n    worker: {%s}\nbuckets:\n  A: {history: %s}\n"
EQUAL = WITH % ("ack_wait: 5s", 3)


@pytest.mark.usefixtures("jetstream")
def test_two_stacks(server: NatsServer, raw: RawClient) -> None:
    """Equal ones take over what is there, and neither finds anything to do; other settings are refused by name."""
    one, other = Stack(server), Stack(server)
    one.up(EQUAL)
    assert dict.fromkeys(("ORDERS", "KV_A", "ORDERS/worker"), "create") == other.up(EQUAL)
    assert [{}, {}] == [each.preview(EQUAL) for each in (one, other)]

    third = Stack(server)
    (refused,) = third.up(WITH % ("ack_wait: 9s", 5)).values()
    assert ["KV_A: already exists", "ORDERS/worker already exists"] == sorted(
        line[: line.index(" (")] for line in refused.splitlines()
    )
    assert 3 == raw.info("KV_A")["config"]["max_msgs_per_subject"]


def test_a_server_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a replacement, before the old one is deleted: the run ends with one line, and the next one completes it where it was."""
    before, after = WITH % ("", 3), WITH % ("max_waiting: 7", 3)
    with running(tmp_path / "nats") as server:
        stack = Stack(server)
        stack.up(before)
        with raw_client(server.url) as raw:
            for _ in range(5):
                raw.publish("orders.new")
            raw.consume("ORDERS", "worker", 2)
        with monkeypatch.context() as patch:
            _hanging_at(patch, server, "CONSUMER.DELETE.ORDERS.worker")
            said = stack.up(after)
            _signal(server, signal.SIGCONT)
        assert [""] == [*said]
        assert 1 == len(said[""].splitlines())
        assert "does not answer" in said[""] or "no answer" in said[""], said
        assert "" not in stack.up(after)
        assert {} == stack.preview(after)
        with raw_client(server.url) as raw:
            (info,) = raw.consumers("ORDERS")
            assert (7, 2, 3) == (info["config"]["max_waiting"], info["ack_floor"]["stream_seq"], info["num_pending"])


def _hanging_at(monkeypatch: pytest.MonkeyPatch, server: NatsServer, wanted: str) -> None:
    """Let the server hang before it gets this request."""
    request = JetStream.request

    def hang(self: JetStream, subject: str, body: Mapping[str, Any] | None = None, timeout: float = 5.0) -> Any:
        if subject == wanted:
            _signal(server, signal.SIGSTOP)
        return request(self, subject, body, min(timeout, 1.0) if subject == wanted else timeout)

    monkeypatch.setattr(JetStream, "request", hang)


def _signal(server: NatsServer, number: int) -> None:
    assert server.process
    server.process.send_signal(number)
