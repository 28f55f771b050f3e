"""A run that ends at any of its requests while a bucket is made, changed or carried over: the next one completes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from tests.support.nats_py import got, put_all
from tests.support.nats_server import NatsServer
from tests.support.provider_stack import Stack
from tests.support.raw_nats import RawClient
from tests.support.streams import delete

pytestmark = pytest.mark.usefixtures("own_process", "jetstream")

EMPTY = "OTHER:\n"
FIRST = "OTHER:\nbuckets:\n  A: {history: 3, seed: {mode: safe, level: low}}\n"
CHANGES = {
    "made": (EMPTY, FIRST),
    "changed": (FIRST, FIRST.replace("history: 3", "history: 9, description: new")),
    "another first value": (FIRST, FIRST.replace("level: low", "level: low, more: x")),
    "carried over": (FIRST, FIRST.replace("history: 3", "history: 3, storage: memory")),
}


class _Killed(BaseException):
    """The run ends here."""


def _killed_at(monkeypatch: pytest.MonkeyPatch, number: int, *, answered: bool) -> list[str]:
    """Let a run end at its n-th request that changes something, before or after the server has it."""
    sent: list[str] = []

    def ending(method: Callable[..., Any], changes: Callable[[Any], bool]) -> Callable[..., Any]:
        def end(self: Any, subject: Any, *rest: Any, **named: Any) -> Any:
            counts = changes(subject)
            sent.extend([str(subject)] if counts else [])
            is_last = counts and len(sent) == number
            if is_last and not answered:
                raise _Killed
            try:
                return method(self, subject, *rest, **named)
            finally:
                if is_last:
                    raise _Killed

        return end

    asked = ("STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.RESTORE", "STREAM.SNAPSHOT")
    monkeypatch.setattr(JetStream, "request", ending(JetStream.request, lambda subject: subject.startswith(asked)))
    monkeypatch.setattr(JetStream, "long_update", ending(JetStream.long_update, lambda _config: True))
    monkeypatch.setattr(JetStream, "publish", ending(JetStream.publish, lambda _subject: True))
    return sent


@pytest.mark.parametrize("answered", [False, True], ids=["before the server has it", "after"])
@pytest.mark.parametrize("name", CHANGES)
def test_the_next_run_completes_it(
    server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch, name: str, answered: bool
) -> None:
    """At each request: one more up is enough, each first value is there, and what a service has put since is too."""
    before, after = CHANGES[name]
    number = 0
    while True:
        number += 1
        stack = Stack(server)
        assert "" not in stack.up(before)
        if before == FIRST:
            put_all(server, "A", level=[b"high"])
        with monkeypatch.context() as patch:
            sent = _killed_at(patch, number, answered=answered)
            try:
                assert "" not in stack.up(after)
            except _Killed:
                pass
            else:
                assert number > len(sent), "a run that was not killed"
                break
        done = stack.up(after)
        assert "" not in done, (sent, done)
        assert {} == stack.preview(after), sent
        assert (b"safe", b"high" if before == FIRST else b"low") == (
            got(server, "A", "mode"),
            got(server, "A", "level"),
        )
        for stream in jetstream.streams():
            delete(jetstream, server, stream)
    assert number > 1


def test_carried_over_it_is_not_new(server: NatsServer, raw: RawClient) -> None:
    """A key that a service has removed without a trace does not come back with its first value."""
    stack, after = Stack(server), CHANGES["carried over"][1]
    stack.up(FIRST)
    raw.ask("STREAM.PURGE.KV_A", {"filter": "$KV.A.level"})
    assert {"KV_A": "update"} == stack.up(after)
    assert 1 == raw.info("KV_A")["state"]["messages"]
    raw.ask("STREAM.DELETE.KV_A")
    assert {"KV_A": "update"} == stack.up(after)
    assert b"low" == got(server, "A", "level")
