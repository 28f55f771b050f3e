"""A run that is killed while it carries a stream over: nothing is lost, and the next one completes it untold."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup import carry_folder, folder_lock
from provisioner.backup.archive import ARCHIVE, MANIFEST, backup, load
from provisioner.backup.carry_folder import CarryFolder
from provisioner.errors import BackupError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.connection import Connection
from provisioner.jetstream.transfer import Transfer
from provisioner.providers.errors import JetStreamError
from provisioner.reconcile.context import close_all
from tests.support import snapshots
from tests.support.configurations import config
from tests.support.exploring import explores
from tests.support.faults.figures import Figures
from tests.support.killed_carry import requests_of_update, update_killed_at
from tests.support.nats_server import NatsServer
from tests.support.snapshots import NAME
from tests.support.stream_provider import failures, props, provider

pytestmark = pytest.mark.usefixtures("own_process")

MESSAGES = 40
SEED = 9
KILLS, SERVER_KILLS = 12, 4


@pytest.fixture(autouse=True)
def _another(jetstream: JetStream) -> None:
    """A second stream: nats-server removes the folder of an account's last one after its answer."""
    jetstream.create(config("ANOTHER"))


def _stream(server: NatsServer, **fields: Any) -> dict[str, Any]:
    return props(server, NAME, subjects=["o.>"], **fields)


def _created(server: NatsServer, jetstream: JetStream) -> dict[str, Any]:
    snapshots.fill(jetstream, MESSAGES, size=2_000)
    snapshots.consumer(jetstream, "worker")
    snapshots.consume(jetstream, "worker", 10, without=(2, 5))
    return dict(provider().create(_stream(server)).outs or {})


def _is_whole_somewhere(jetstream: JetStream, folder: CarryFolder) -> bool:
    info = jetstream.stream(NAME)
    try:
        return bool(info and info.messages == MESSAGES) or load(folder.copy).messages == MESSAGES
    except BackupError:
        return False


def _kill_and_complete(server: NatsServer, jetstream: JetStream, root: Path, request: int, *, take_back: bool) -> None:
    olds, news = _created(server, jetstream), _stream(server, storage="memory", description="new")
    messages, consumers = snapshots.messages(jetstream), snapshots.consumers(jetstream)
    update_killed_at(request, olds, news)
    assert _is_whole_somewhere(jetstream, CarryFolder(server.url, NAME)), f"nothing is whole after request {request}"

    close_all()
    wanted = _stream(server) if take_back else news
    read = provider().read(NAME, olds)
    assert NAME == read.id
    found = dict(read.outs or {})
    assert [] == failures(wanted, olds=found)
    outs = dict(provider().update(NAME, found, wanted).outs or {})

    assert messages == snapshots.messages(jetstream)
    assert consumers == snapshots.consumers(jetstream)
    again = provider().read(NAME, outs)
    assert not provider().diff(NAME, again.outs or {}, wanted).changes
    assert [] == [path for path in root.rglob("*") if path.is_file()]
    snapshots.delete(jetstream, server)
    close_all()


def _requests(server: NatsServer, jetstream: JetStream) -> int:
    """How many requests an update takes that nobody kills."""
    count = requests_of_update(_created(server, jetstream), _stream(server, storage="memory", description="new"))
    snapshots.delete(jetstream, server)
    shutil.rmtree(carry_folder.root())  # the note that no later run came to remove
    return count


def test_a_provider_that_is_killed(server: NatsServer, jetstream: JetStream, tmp_path: Path, figures: Figures) -> None:
    """At moments all over the update; half of the edits are taken back before the next run."""
    requests = _requests(server, jetstream)
    moments = random.Random(SEED).sample(range(requests), KILLS)  # noqa: S311 - no secret
    for number, request in enumerate(sorted(moments)):
        _kill_and_complete(server, jetstream, tmp_path / "carried", request, take_back=number % 2 == 0)
        figures.faults, figures.converged = figures.faults + 1, figures.converged + 1


@contextmanager
def _server_killed_at(request: int, server: NatsServer) -> Iterator[None]:
    """The server is killed when a request is about to be sent, and starts again at once."""
    with pytest.MonkeyPatch.context() as patch:
        sent = itertools.count()
        for owner, method in ((Connection, "request"), (Connection, "long_request"), (Transfer, "send")):
            patch.setattr(owner, method, _killing(getattr(owner, method), sent, request, server))
        yield


def _killing(send: Callable[..., Any], sent: Iterator[int], last: int, server: NatsServer) -> Callable[..., Any]:
    def sending(*args: Any, **kwargs: Any) -> Any:
        if next(sent) == last:
            server.kill()
            server.start()
        return send(*args, **kwargs)

    return sending


def _kill_server_and_complete(server: NatsServer, jetstream: JetStream, root: Path, request: int) -> None:
    olds, news = _created(server, jetstream), _stream(server, persist_mode="async", description="new")
    messages = snapshots.messages(jetstream)
    with _server_killed_at(request, server), suppress(JetStreamError):
        provider().update(NAME, olds, news)
    assert _is_whole_somewhere(jetstream, CarryFolder(server.url, NAME)), f"nothing is whole after request {request}"

    close_all()
    read = provider().read(NAME, olds)
    assert NAME == read.id
    provider().update(NAME, dict(read.outs or {}), news)
    assert messages == snapshots.messages(jetstream)
    # Its position is the server's own to lose: it writes acknowledgements down a moment later.
    assert ["worker"] == [*snapshots.consumers(jetstream)]
    provider().read(NAME, dict(provider().read(NAME, dict(read.outs or {})).outs or {}))
    assert [] == [path for path in root.rglob("*") if path.is_file()]
    snapshots.delete(jetstream, server)
    close_all()


def test_a_server_that_is_killed(server: NatsServer, jetstream: JetStream, tmp_path: Path, figures: Figures) -> None:
    """At moments all over the update: it succeeds, or the next one does."""
    requests = _requests(server, jetstream)
    moments = random.Random(SEED).sample(range(requests), SERVER_KILLS)  # noqa: S311 - no secret
    for request in sorted(moments):
        _kill_server_and_complete(server, jetstream, tmp_path / "carried", request)
        figures.faults, figures.converged = figures.faults + 1, figures.converged + 1


class TestExplore:
    """Every moment."""

    pytestmark = explores()

    @pytest.mark.parametrize("take_back", [False, True])
    def test_each_request(self, server: NatsServer, jetstream: JetStream, tmp_path: Path, *, take_back: bool) -> None:
        """Killed before each request of an update."""
        for request in range(_requests(server, jetstream)):
            _kill_and_complete(server, jetstream, tmp_path / "carried", request, take_back=take_back)

    def test_the_server_at_each_request(self, server: NatsServer, jetstream: JetStream, tmp_path: Path) -> None:
        """The server killed before each request of an update."""
        for request in range(_requests(server, jetstream)):
            _kill_server_and_complete(server, jetstream, tmp_path / "carried", request)


@pytest.fixture
def half_carried(server: NatsServer, jetstream: JetStream) -> dict[str, Any]:
    """The outputs of a stream that a killed run has deleted and not restored: it is in its copy only."""
    olds = _created(server, jetstream)
    backup(jetstream, NAME, CarryFolder(server.url, NAME).path, snapshots.silent)
    snapshots.delete(jetstream, server)
    return olds


def test_the_plan_tells_what_is_half_done(
    server: NatsServer, half_carried: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The stream stays in the state, with a status; the preflight says that the run completes it."""
    read = provider().read(NAME, half_carried)
    copy = CarryFolder(server.url, NAME).copy
    assert f"half carried over: 40 messages are in {copy}" == (read.outs or {})["status"]
    assert provider().diff(NAME, read.outs or {}, _stream(server)).changes
    assert [] == failures(_stream(server), olds=dict(read.outs or {}))
    assert f"{NAME} is half carried over: 40 messages are in {copy}; this run completes it\n" == capsys.readouterr().err


def test_a_lost_state_does_not_matter(server: NatsServer, jetstream: JetStream, half_carried: dict[str, Any]) -> None:
    """A create completes it as well."""
    outs = dict(provider().create(_stream(server, storage="memory")).outs or {})
    assert MESSAGES == len(snapshots.messages(jetstream))
    assert half_carried["created"] != outs["created"]


@pytest.mark.parametrize(
    ("policy", "approved", "refused"),
    [("guard", "", True), ("retain", "", True), ("delete", "", False), ("guard", NAME, False)],
)
def test_a_destroy_before_it_is_completed(
    server: NatsServer,
    half_carried: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    policy: str,
    approved: str,
    *,
    refused: bool,
) -> None:
    """What policy or approval let go goes with its copy; all else is refused, and says where the messages are."""
    monkeypatch.setenv("STREAMS_ALLOW_LOSS", approved)
    folder = CarryFolder(server.url, NAME)
    leaving = {**half_carried, "on_delete": policy}
    if refused:
        with pytest.raises(JetStreamError, match="is half carried over: 40 messages are in "):
            provider().delete(NAME, leaving)
    else:
        provider().delete(NAME, leaving)
    assert refused == bool(folder.manifest())


def test_a_copy_that_was_damaged(server: NatsServer, half_carried: dict[str, Any]) -> None:
    """Nothing is made in its place: the preview refuses, and so does an up."""
    folder = CarryFolder(server.url, NAME)
    archive = folder.copy / ARCHIVE
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(JetStreamError, match="it was cut short or changed"):
        provider().update(NAME, half_carried, _stream(server))
    (folder.copy / MANIFEST).write_text("{}")
    (refused,) = failures(_stream(server), olds=half_carried)
    assert f"{folder.copy}: is not a usable backup: backup.json is not one of this program's" in refused
    with pytest.raises(JetStreamError, match="is not a usable backup"):
        provider().update(NAME, half_carried, _stream(server))


def test_two_at_once(
    server: NatsServer, jetstream: JetStream, half_carried: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that outlived its engine is waited for, and then said."""
    monkeypatch.setattr(folder_lock, "LOCK_TIMEOUT_S", 0.3)
    with (
        folder_lock.locked(CarryFolder(server.url, NAME).path),
        pytest.raises(JetStreamError, match="another process is at work in "),
    ):
        provider().update(NAME, half_carried, _stream(server))
    provider().update(NAME, half_carried, _stream(server))
    assert MESSAGES == len(snapshots.messages(jetstream))
