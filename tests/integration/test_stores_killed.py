"""A run that ends at any of its requests while a bucket is made, changed or carried over: the next one completes it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from nats.js.client import JetStreamContext

from provisioner.jetstream.client import JetStream
from tests.support.exploring import explores
from tests.support.faults.figures import Figures
from tests.support.killed_stack import requests_of_up, up_killed_at
from tests.support.nats_py import at_work, got, got_object, put_all, put_objects
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


BOTH = """\
OTHER:
  consumers: {watcher: }
buckets:
  A: {history: 3, description: old, seed: {mode: safe, level: low}}
objects:
  A: {description: old}
"""
PROVIDER_CHANGES = {
    "changed": BOTH.replace("description: old", "description: new"),
    "carried over": BOTH.replace("description: old", "description: new, storage: memory"),
    "another first value": BOTH.replace("level: low", "level: low, more: x"),
    "deleted meanwhile": BOTH,
}
CONTENT = b"x" * 300_000
SEED, KILLS = 9, 3


def _filled(server: NatsServer, raw: RawClient, *, is_deleted: bool) -> Stack:
    """A stack with entries of a service; or one whose bucket and object store somebody has deleted."""
    stack = Stack(server)
    assert "" not in stack.up(BOTH)
    put_all(server, "A", level=[b"1", b"2", b"3"], own=[b"1"])
    at_work(server, _deleted)
    put_objects(server, "A", one=CONTENT, two=b"y")
    for stream in ("KV_A", "OBJ_A") if is_deleted else ():
        raw.ask(f"STREAM.DELETE.{stream}")
    return stack


async def _deleted(js: JetStreamContext) -> None:
    await (await js.key_value("A")).delete("mode")


def _entries(raw: RawClient) -> dict[str, list[dict[str, Any]]]:
    """Every message of both, as the server has it."""
    return {name: raw.messages(name) for name in ("KV_A", "OBJ_A")}


def _kill_and_complete(server: NatsServer, raw: RawClient, name: str, request: int, *, take_back: bool) -> None:
    is_deleted = name == "deleted meanwhile"
    stack, wanted = _filled(server, raw, is_deleted=is_deleted), PROVIDER_CHANGES[name]
    before = {} if is_deleted else _entries(raw)
    up_killed_at(request, stack, wanted)
    done = stack.up(BOTH if take_back else wanted)
    assert "" not in done, (request, done)
    assert {} == stack.preview(BOTH if take_back else wanted), request
    after = _entries(raw)
    for stream, entries in before.items():
        assert entries == after[stream][: len(entries)], f"{stream} after request {request}"
    if is_deleted:
        assert (b"safe", b"low") == (got(server, "A", "mode"), got(server, "A", "level")), request
    else:
        assert (b"3", CONTENT) == (got(server, "A", "level"), got_object(server, "A", "one")), request


def _requests(server: NatsServer, raw: RawClient, jetstream: JetStream, name: str) -> int:
    count = requests_of_up(_filled(server, raw, is_deleted=name == "deleted meanwhile"), PROVIDER_CHANGES[name])
    _remove_all(server, jetstream)
    return count


def _remove_all(server: NatsServer, jetstream: JetStream) -> None:
    for stream in jetstream.streams():
        delete(jetstream, server, stream)


@pytest.mark.parametrize("name", PROVIDER_CHANGES)
def test_a_provider_that_is_killed(
    server: NatsServer, raw: RawClient, jetstream: JetStream, figures: Figures, name: str
) -> None:
    """By SIGKILL, at moments all over the up; half of the edits are taken back. No entry is lost, one up is enough."""
    requests = _requests(server, raw, jetstream, name)
    # The plan's own requests come first: most moments are from the half in which things change.
    moments = random.Random(SEED).sample(range(requests // 2, requests), KILLS)  # noqa: S311 - no secret
    for number, request in enumerate(sorted(moments)):
        _kill_and_complete(server, raw, name, request, take_back=number % 2 == 0)
        _remove_all(server, jetstream)
        figures.faults, figures.converged = figures.faults + 1, figures.converged + 1


class TestExplore:
    """Every moment."""

    pytestmark = explores()

    @pytest.mark.parametrize("take_back", [False, True])
    @pytest.mark.parametrize("name", PROVIDER_CHANGES)
    def test_each_request(
        self, server: NatsServer, raw: RawClient, jetstream: JetStream, name: str, *, take_back: bool
    ) -> None:
        """Killed before each request of an up."""
        for request in range(_requests(server, raw, jetstream, name)):
            _kill_and_complete(server, raw, name, request, take_back=take_back)
            _remove_all(server, jetstream)
