"""A consumer of a cluster, or its stream, is replaced while its leader is killed: the next run has it where it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.carry_folder import CARRY_TO
from provisioner.errors import BackupError, Conflict, ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumer, consumers
from provisioner.jetstream.target import Credentials
from provisioner.reconcile import apply, consumer_carry
from provisioner.reconcile.consumers import consumer_preflight, ensure_consumer
from provisioner.reconcile.context import Context
from provisioner.reconcile.loss_approval import ALLOW_LOSS
from provisioner.reconcile.server_view import ServerView
from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.model import OnDelete, StreamSpec
from tests.support.configurations import config
from tests.support.consumer_configurations import consumer as wanted
from tests.support.exploring import explores
from tests.support.faults.figures import Figures
from tests.support.nats_cluster import NatsCluster, running_cluster
from tests.support.raw_nats import raw_client
from tests.support.waiting import until

NAME, MESSAGES, TAKEN = "worker", 9, 4
DEADLINE_S = 60.0
RETENTIONS = ("limits", "interest", "workqueue")
CHANGES = (
    "CONSUMER.CREATE", "CONSUMER.DELETE", "CONSUMER.RESET", "CONSUMER.PAUSE",
    "STREAM.UPDATE", "STREAM.SNAPSHOT", "STREAM.DELETE", "STREAM.RESTORE",
)  # fmt: skip


@dataclass(frozen=True)
class Work:
    """A consumer that is to be replaced, or the stream that it belongs to; a name of its own for each.

    Attributes:
        stream: the stream's name.
        retention: of the stream.
        of_stream: whether the stream is replaced.
    """

    stream: str
    retention: str
    of_stream: bool

    @property
    def before(self) -> ConsumerSpec:
        return ConsumerSpec(self.stream, wanted(NAME, filter_subjects=[f"{self.stream}.>"]))

    @property
    def after(self) -> ConsumerSpec:
        return ConsumerSpec(self.stream, wanted(NAME, filter_subjects=[f"{self.stream}.>"], max_waiting=7))

    def config(self, **fields: Any) -> StreamSpec:
        subjects = [f"{self.stream}.>"]
        return StreamSpec(
            config(self.stream, subjects=subjects, num_replicas=3, retention=self.retention, **fields),
            on_delete=OnDelete.DELETE,
        )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    """Three nodes."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CARRY_TO, str(tmp_path))


def _filled(cluster: NatsCluster, work: Work) -> None:
    """A consumer that has taken some of its stream's messages; every replica knows it."""
    with closing(ServerView(cluster.url, None, Credentials())) as view, raw_client(cluster.url) as raw:
        where = Context(view)
        apply.create(where, work.config())
        ensure_consumer(where, work.before)
        for number in range(MESSAGES):
            raw.publish(f"{work.stream}.{number % 2}", str(number).encode())
        raw.consume(work.stream, NAME, TAKEN)
        floors = [TAKEN] * cluster.size  # what only the leader knows, goes with it
        until("every node knows its position", lambda: _floors(cluster, work.stream) == floors, DEADLINE_S)


def _leader(cluster: NatsCluster, work: Work) -> str | None:
    """The node that leads the consumer, or what keeps its position; else the stream's."""
    names = (f"CONSUMER.INFO.{work.stream}.{NAME}", f"CONSUMER.INFO.{work.stream}._carry_{NAME}")
    with closing(JetStream(cluster.url, Credentials())) as client:
        return next(filter(None, (_led(client, each) for each in (*names, f"STREAM.INFO.{work.stream}"))), None)


def _led(client: JetStream, subject: str) -> str | None:
    """The node that leads what is asked about, if there is one."""
    with suppress(ProvisionerError):
        return client.request(subject, timeout=1.0)["cluster"].get("leader") or None
    return None


def _change(where: Context, work: Work) -> None:
    where.run.on_consumer_read(work.before)
    if work.of_stream:
        where.run.on_read(work.stream, OnDelete.DELETE, None)
        apply.ensure(where, work.config(storage="memory"), None)
    else:
        ensure_consumer(where, work.after)


def _changed(cluster: NatsCluster, work: Work, number: int, *, answered: bool) -> list[str]:
    """Make the change; at its n-th request that changes something, the consumer's leader is killed. What was sent."""
    sent: list[str] = []
    request = JetStream.request

    def killing(self: JetStream, subject: str, *rest: Any, **named: Any) -> Any:
        if not subject.startswith(CHANGES):
            return request(self, subject, *rest, **named)
        sent.append(subject)
        if len(sent) != number:
            return request(self, subject, *rest, **named)
        leader = _leader(cluster, work)
        if not answered and leader:
            cluster.kill(cluster.names.index(leader))
        try:
            return request(self, subject, *rest, **named)
        finally:
            if answered and leader:
                cluster.kill(cluster.names.index(leader))

    with pytest.MonkeyPatch.context() as patch, closing(ServerView(cluster.url, None, Credentials())) as view:
        patch.setattr(JetStream, "request", killing)
        try:
            _change(Context(view), work)
        except ProvisionerError as error:
            print(f"  {number} {sent[-1]} {error}")  # noqa: T201 - shown with a failure
    return sent


def _kill_and_complete(cluster: NatsCluster, work: Work, number: int, *, answered: bool) -> list[str]:
    _filled(cluster, work)
    sent = _changed(cluster, work, number, answered=answered)
    for node in {*range(cluster.size)} - {*cluster.running()}:
        cluster.start_node(node)
    cluster.wait()
    _complete(cluster, work, sent)
    return sent


def _complete(cluster: NatsCluster, work: Work, sent: list[str]) -> None:
    """One more run is enough: the position is the old one, and every node has what is yet to be acknowledged."""
    with closing(ServerView(cluster.url, None, Credentials())) as view, raw_client(cluster.url) as raw:
        where = Context(view)
        until("another run completes it", lambda: _is_completed(where, work), DEADLINE_S)
        info = consumer(where.client(), work.stream, NAME)
        assert info
        # That of a work queue follows from what the stream still has.
        floor = info.acknowledged if work.retention == "workqueue" else TAKEN
        assert (floor, MESSAGES - TAKEN) == (info.acknowledged, info.outstanding), sent
        assert [NAME] == [*consumers(where.client(), work.stream)], sent
        left = MESSAGES if work.retention == "limits" else MESSAGES - TAKEN
        until("every node has them", lambda: min(_stored(cluster, work.stream)) >= left, DEADLINE_S)
        taken = raw.consume(work.stream, NAME, 100)
        assert [str(at).encode() for at in range(TAKEN, MESSAGES)] == taken, sent
        where.client().delete(work.stream)


def _is_completed(where: Context, work: Work) -> bool:
    """One run is enough, unless it says that the cluster cannot take a restore yet."""
    try:
        _change(where, work)
    except BackupError:
        return False
    return True


def _stored(cluster: NatsCluster, stream: str) -> list[int]:
    """How many messages of the stream each node has by its own account."""
    return [each.get("state", {}).get("messages", 0) for each in _accounts(cluster, stream)]


def _floors(cluster: NatsCluster, stream: str) -> list[int]:
    """Up to where everything is acknowledged, by each node's own account."""
    accounts = (each.get("consumer_detail") or [{}] for each in _accounts(cluster, stream))
    return [details[0].get("ack_floor", {}).get("stream_seq", 0) for details in accounts]


def _accounts(cluster: NatsCluster, stream: str) -> list[dict[str, Any]]:
    """What each node says of the stream; empty where it does not know it."""
    answers = [cluster.get(node, "/jsz?streams=true&consumers=true&accounts=true")[1] for node in range(cluster.size)]
    streams = (
        [each for account in answer["account_details"] for each in account["stream_detail"]] for answer in answers
    )
    return [next((each for each in known if each["name"] == stream), {}) for known in streams]


def test_a_node_that_misses_it_all(cluster: NatsCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would empty a stream with retention interest when it starts again: nothing is replaced until it is back."""
    work = Work("MISSED", "interest", of_stream=False)
    monkeypatch.setattr(consumer_carry, "REPLICAS_TIMEOUT_S", 1.0)
    monkeypatch.setenv(ALLOW_LOSS, work.before.label)
    _filled(cluster, work)
    node = _leader(cluster, work)
    assert node
    cluster.kill(cluster.names.index(node))
    line = f"MISSED/{NAME}: {node} is down or behind, and the stream's retention is interest: "
    with closing(ServerView(cluster.url, None, Credentials())) as view:
        where = Context(view)
        where.run.on_consumer_read(work.before)
        until("the plan says so", lambda: any(each.startswith(line) for each in _planned(where, work)), DEADLINE_S)
        cluster.wait()
        with pytest.raises(Conflict, match=line):
            _change(where, work)
    cluster.start_node(cluster.names.index(node))
    cluster.wait()
    monkeypatch.undo()
    monkeypatch.setenv(ALLOW_LOSS, work.before.label)
    _complete(cluster, work, [])


def _planned(where: Context, work: Work) -> tuple[str, ...]:
    """What the plan has against it; nothing while the cluster elects its leaders."""
    with suppress(ProvisionerError):
        present = consumers(where.client(), work.stream, [NAME])
        return consumer_preflight(where, work.after, present, work.config().config).problems
    return ()


@pytest.mark.parametrize(
    ("retention", "of_stream", "number", "answered"),
    [
        ("limits", False, 5, False),
        ("interest", False, 6, True),
        ("workqueue", False, 1, True),
        ("interest", True, 2, True),
    ],
)
def test_its_leader_is_killed(
    cluster: NatsCluster,
    monkeypatch: pytest.MonkeyPatch,
    figures: Figures,
    retention: str,
    number: int,
    *,
    of_stream: bool,
    answered: bool,
) -> None:
    """Before or after one of the requests that change something."""
    work = Work(f"KILLED{retention}{of_stream}".upper(), retention, of_stream)
    monkeypatch.setenv(ALLOW_LOSS, work.before.label)
    _kill_and_complete(cluster, work, number, answered=answered)
    figures.faults = figures.converged = 1


class TestExplore:
    """Every request."""

    pytestmark = explores()

    @pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("of_stream", [False, True], ids=["consumer", "stream"])
    @pytest.mark.parametrize("retention", RETENTIONS)
    def test_each_request(
        self, cluster: NatsCluster, monkeypatch: pytest.MonkeyPatch, retention: str, *, of_stream: bool, answered: bool
    ) -> None:
        """Its leader is killed before or after the request."""
        number = 0
        while True:
            number += 1
            work = Work(f"S{retention}{of_stream}{answered}{number}".upper(), retention, of_stream)
            monkeypatch.setenv(ALLOW_LOSS, work.before.label)
            if number > len(_kill_and_complete(cluster, work, number, answered=answered)):
                break
        assert number > 1
