"""A server that is killed while it writes a stream's configuration does not open the stream again: nothing is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.connection import Connection
from provisioner.providers.errors import JetStreamError
from provisioner.reconcile.context import close_all
from provisioner.reconcile.loss_approval import ALLOW_LOSS
from provisioner.reconcile.unopened import MISSING
from provisioner.schema.model import StreamInfo
from tests.support import snapshots
from tests.support.exploring import explores
from tests.support.killed_carry import requests_of_update, update_killed_at
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import raw_client
from tests.support.snapshots import NAME
from tests.support.stream_provider import failures, props, provider
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("own_process")
MESSAGES, LEFT = 40, 38
# Of 100 kills within an update some 20 leave the stream unopened.
KILLS, UPDATE_S = 300, 0.004


def _stream(server: NatsServer, name: str = NAME, **fields: Any) -> dict[str, Any]:
    return props(server, name, subjects=["o.>"], **fields)


@pytest.fixture
def outs(server: NatsServer, jetstream: JetStream) -> dict[str, Any]:
    """A stream with messages, gaps and a consumer; its outputs in the state."""
    snapshots.fill(jetstream, MESSAGES)
    snapshots.consumer(jetstream, "worker")
    snapshots.delete_messages(jetstream, 3, 17)
    return dict(provider().create(_stream(server)).outs or {})


def _unopened(server: NatsServer, jetstream: JetStream, outs: dict[str, Any]) -> dict[str, Any]:
    """The server is killed, and does not open it; what a refresh makes of that."""
    close_all()
    server.kill_in_update(NAME)
    assert jetstream.stream(NAME) is None
    return _read(outs)


def _read(outs: dict[str, Any]) -> dict[str, Any]:
    read = provider().read(NAME, outs)
    assert NAME == read.id
    return dict(read.outs or {})


def _up(olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    assert [] == failures(news, olds=olds)
    assert provider().diff(NAME, olds, news).changes
    return dict(provider().update(NAME, olds, news).outs or {})


def _present(jetstream: JetStream, name: str = NAME) -> StreamInfo:
    info = jetstream.stream(name)
    assert info
    return info


def _marks(info: StreamInfo) -> set[str]:
    return {key for key in info.config["metadata"] if not key.startswith("_nats.")}


def test_it_is_there_again(server: NatsServer, jetstream: JetStream, outs: dict[str, Any]) -> None:
    """The plan says that it is missing; up brings it back, for good, and its consumers with the server's next start."""
    before = snapshots.messages(jetstream)
    missing = _unopened(server, jetstream, outs)
    assert MISSING == missing["status"]
    outs = _up(missing, _stream(server))

    assert before == snapshots.messages(jetstream)
    info = _present(jetstream)
    assert (["o.>"], outs["created"], set()) == (info.config["subjects"], info.created, _marks(info))
    server.kill()
    server.start()
    assert (LEFT, 1) == (_present(jetstream).messages, _present(jetstream).consumers)
    close_all()
    assert not provider().diff(NAME, _read(outs), _stream(server)).changes


def test_a_change_that_would_lose_some(
    server: NatsServer, jetstream: JetStream, outs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no plan could see is refused in the run, with the stream there again; the next one can approve it."""
    missing, smaller = _unopened(server, jetstream, outs), _stream(server, max_msgs=5)
    with pytest.raises(JetStreamError, match=rf"{ALLOW_LOSS}={NAME}"):
        provider().update(NAME, missing, smaller)
    assert LEFT == _present(jetstream).messages

    close_all()
    again = _read(missing)
    assert [f"{NAME}: max_msgs"] == [text[: len(NAME) + 10] for text in failures(smaller, olds=again)]
    monkeypatch.setenv(ALLOW_LOSS, NAME)
    _up(again, smaller)
    assert (5, ["o.>"]) == (_present(jetstream).messages, _present(jetstream).config["subjects"])


def test_a_change_that_needs_a_new_stream(server: NatsServer, jetstream: JetStream, outs: dict[str, Any]) -> None:
    """It is carried over, as if it had been there all along; but only with its consumers."""
    before = snapshots.messages(jetstream)
    _complete(server, jetstream, _unopened(server, jetstream, outs), _stream(server, storage="memory"))
    assert before == snapshots.messages(jetstream)
    assert "memory" == _present(jetstream).config["storage"]


def test_another_name(server: NatsServer, jetstream: JetStream, outs: dict[str, Any]) -> None:
    """A new name takes the messages over of the stream that the server has not opened."""
    before = snapshots.messages(jetstream)
    _unopened(server, jetstream, outs)
    renamed = _stream(server, "RENAMED", renamed_from=NAME)
    assert [] == failures(renamed)
    with pytest.raises(JetStreamError, match="restart it before"):
        provider().create(renamed)
    server.kill()
    server.start()
    close_all()
    _read(outs)
    assert [] == failures(renamed)
    provider().create(renamed)
    with raw_client(server.url) as raw:
        assert before == raw.messages("RENAMED")
    provider().delete(NAME, outs)
    assert ["RENAMED"] == list(jetstream.streams())


def test_deleting_it(
    server: NatsServer, jetstream: JetStream, outs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the policy protects is not forgotten because the server does not show it."""
    missing = _unopened(server, jetstream, outs)
    with pytest.raises(JetStreamError, match=f"{NAME} holds {LEFT} messages"):
        provider().delete(NAME, missing)
    assert LEFT == _present(jetstream).messages

    missing = _unopened(server, jetstream, outs)
    monkeypatch.setenv(ALLOW_LOSS, NAME)
    provider().delete(NAME, missing)
    assert {} == jetstream.streams()
    until("its files are gone", lambda: not list(server.folder.glob(f"data/jetstream/*/streams/{NAME}")), 5)


def test_deleted_by_hand(server: NatsServer, jetstream: JetStream, outs: dict[str, Any]) -> None:
    """Where there are no files, a new stream is made, and nothing is left of the question."""
    jetstream.delete(NAME)
    close_all()
    missing = _read(outs)
    assert MISSING == missing["status"]
    outs = _up(missing, _stream(server, max_msgs=5))
    info = _present(jetstream)
    assert (0, 5, outs["created"], set()) == (info.messages, info.config["max_msgs"], info.created, _marks(info))

    jetstream.delete(NAME)
    close_all()
    provider().delete(NAME, _read(outs))
    assert {} == jetstream.streams()


def test_deleted_by_hand_and_nothing_may_be_made(tmp_path: Path) -> None:
    """A login that may only delete forgets it all the same."""
    deny = '{ publish: { deny: "$JS.API.STREAM.CREATE.>" } }'
    users = f"accounts {{ A {{ jetstream: enabled, users: [{{user: a, password: a, permissions: {deny}}}] }} }}"
    with running(tmp_path / "nats", extra=f"{users}\nno_auth_user: a") as server:
        provider().delete(NAME, {**_stream(server), "created": "2026-01-01T00:00:00Z"})
        close_all()


def test_killed_meanwhile(server: NatsServer, jetstream: JetStream, outs: dict[str, Any]) -> None:
    """A run that is killed after any of its requests is completed by the next one."""
    before, olds = snapshots.messages(jetstream), outs
    wanted = _stream(server, description="new")
    requests = requests_of_update(_unopened(server, jetstream, olds), wanted)
    for request in range(requests):
        olds = _unopened(server, jetstream, olds | {"created": _created(jetstream, olds)})
        update_killed_at(request, olds, wanted)
        close_all()
        olds = _up(_read(olds), wanted)
        assert before == snapshots.messages(jetstream), f"killed at request {request}"
        assert set() == _marks(_present(jetstream))


@contextmanager
def _killed_in_update(number: int, server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The server is killed inside the request for an update of that number; the requests for updates."""
    updates: list[str] = []

    def requesting(
        send: Callable[..., bytes], connection: Connection, subject: str, *args: Any, **kwargs: Any
    ) -> bytes:
        if subject.startswith("$JS.API.STREAM.UPDATE."):
            updates.append(subject)
            if len(updates) == number:
                server.kill_in_update(subject.rpartition(".")[2])
                raise Unreachable("killed")
        return send(connection, subject, *args, **kwargs)

    with monkeypatch.context() as patch:
        for method in ("request", "long_request"):
            patch.setattr(Connection, method, partialmethod(partial(requesting, getattr(Connection, method))))
        yield updates


def _complete(server: NatsServer, jetstream: JetStream, outs: dict[str, Any], wanted: dict[str, Any]) -> None:
    """One up; another one where the server has to read the consumers first, and until then it is as it was."""
    try:
        provider().update(NAME, _read(outs), wanted)
    except JetStreamError as error:
        assert "restart it before" in str(error)
        assert ["o.>"] == _present(jetstream).config["subjects"]
        close_all()
        again = _read(outs)
        assert ["restart it before" in text for text in failures(wanted, olds=again)] == [True]
        server.kill()
        server.start()
        close_all()
        _up(_read(again), wanted)


@pytest.mark.parametrize("change", [{"storage": "memory"}, {"persist_mode": "async", "description": "new"}])
def test_killed_in_a_carry(
    server: NatsServer,
    jetstream: JetStream,
    outs: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
) -> None:
    """In each update of one: it succeeds all the same, or the next up completes it."""
    before, wanted = snapshots.messages(jetstream), _stream(server, **change)
    number, updates = 0, [""]
    while len(updates) >= number:
        number += 1
        with _killed_in_update(number, server, monkeypatch) as updates, suppress(JetStreamError):
            provider().update(NAME, outs, wanted)
        close_all()
        _complete(server, jetstream, outs, wanted)
        assert before == snapshots.messages(jetstream), f"killed in {updates[-1]} {number}"
        assert change.items() <= dict(_present(jetstream).config).items()
        assert {"worker"} == set(snapshots.consumers(jetstream))
        snapshots.delete(jetstream, server)
        close_all()
        snapshots.fill(jetstream, MESSAGES)
        snapshots.consumer(jetstream, "worker")
        snapshots.delete_messages(jetstream, 3, 17)
        before, outs = snapshots.messages(jetstream), dict(provider().create(_stream(server)).outs or {})
    assert number > 3


def _created(jetstream: JetStream, outs: dict[str, Any]) -> str:
    info = jetstream.stream(NAME)
    return info.created if info else str(outs["created"])


class TestExplore:
    """Real kills."""

    pytestmark = explores()

    def test_killed_at_any_moment(self, server: NatsServer, jetstream: JetStream, outs: dict[str, Any]) -> None:
        """Within an update, as often as it takes until the server does not open the stream: nothing is lost."""
        before, seconds = snapshots.messages(jetstream), random.Random()  # noqa: S311 - no secret
        for number in range(KILLS):
            with raw_client(server.url) as raw:
                assert server.process
                killing = threading.Timer(seconds.uniform(0, UPDATE_S), server.process.kill)
                killing.start()
                raw.send(
                    f"$JS.API.STREAM.UPDATE.{NAME}", {"name": NAME, "subjects": ["o.>"], "description": f"{number}"}
                )
                killing.join()
                server.process.wait()
            server.start()
            close_all()
            olds = _read(outs)
            if olds["status"] == MISSING:
                _up(olds, _stream(server))
                assert before == snapshots.messages(jetstream)
                return
        pytest.fail("the server has opened it each time")
