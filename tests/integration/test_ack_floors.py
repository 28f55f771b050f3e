"""A consumer's position before and after every kind of change: of each of its fields, and of its stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.archive import backup
from provisioner.backup.restore import restore
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.plan.consumer_diff import plan_consumer
from provisioner.plan.diff import Effect
from provisioner.providers.buckets import KeyValueProvider
from provisioner.reconcile.consumers import ensure_consumer
from provisioner.reconcile.context import Context, close_all
from provisioner.reconcile.loss_approval import ALLOW_LOSS
from provisioner.reconcile.server_view import ServerView
from provisioner.schema.consumer_fields import CONSUMER_FIELDS
from provisioner.schema.consumer_model import ConsumerSpec
from tests.support import snapshots, streams
from tests.support.configurations import config
from tests.support.consumer_configurations import consumer
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient
from tests.support.stream_provider import failures, props, provider

pytestmark = pytest.mark.usefixtures("own_process")

STREAM, NAME = "ORDERS", "worker"
MESSAGES, TAKEN = 9, 4
WHERE_IT_WAS = (TAKEN, MESSAGES - TAKEN)
PUSH = {"deliver_subject": "d"}
PINNED = {"priority_groups": ["g"], "priority_policy": "pinned_client"}


@dataclass(frozen=True)
class Change:
    """Of one field.

    Attributes:
        before: the fields of the consumer.
        after: those that change; None is the default.
        effect: what it takes.
        position: up to which message everything is acknowledged afterwards, and how many are before the consumer.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    effect: Effect = Effect.UPDATE
    position: tuple[int, int] = field(default=WHERE_IT_WAS)


CARRY, REPLACE = Effect.CARRY, Effect.REPLACE
STARTS = ("deliver_policy", "opt_start_seq", "opt_start_time")
FROM = {"deliver_policy": "by_start_sequence"}
CHANGES: dict[str, Change] = {
    "description": Change({}, {"description": "new"}),
    "deliver_policy": Change({}, {"deliver_policy": "new"}, REPLACE, (MESSAGES, 0)),
    "opt_start_seq": Change({**FROM, "opt_start_seq": 1}, {"opt_start_seq": 3}, REPLACE, (2, 7)),
    "opt_start_time": Change(
        {"deliver_policy": "by_start_time", "opt_start_time": "2020-01-01T00:00:00Z"},
        {"opt_start_time": "2021-01-01T00:00:00Z"},
        REPLACE,
        (0, MESSAGES),
    ),
    "ack_policy": Change({}, {"ack_policy": "all"}, CARRY),
    "ack_wait": Change({}, {"ack_wait": "5s"}),
    "max_deliver": Change({}, {"max_deliver": 5}),
    "backoff": Change({"max_deliver": 5}, {"backoff": ["1s", "5s"]}),
    "filter_subject": Change({}, {"filter_subject": "orders.*"}),
    "filter_subjects": Change({}, {"filter_subjects": ["orders.0", "orders.1"]}),
    "replay_policy": Change({}, {"replay_policy": "original"}, CARRY),
    "rate_limit_bps": Change(PUSH, {"rate_limit_bps": 10_000}),
    "sample_freq": Change({}, {"sample_freq": "100%"}),
    "max_waiting": Change({}, {"max_waiting": 7}, CARRY),
    "max_ack_pending": Change({}, {"max_ack_pending": 5}),
    "flow_control": Change({**PUSH, "idle_heartbeat": "1s"}, {"flow_control": True}, CARRY),
    "headers_only": Change({}, {"headers_only": True}),
    "max_batch": Change({}, {"max_batch": 10}),
    "max_expires": Change({}, {"max_expires": "30s"}),
    "max_bytes": Change({}, {"max_bytes": 4096}),
    "deliver_subject": Change(PUSH, {"deliver_subject": "e"}),
    "deliver_group": Change(PUSH, {"deliver_group": "g"}),
    "idle_heartbeat": Change(PUSH, {"idle_heartbeat": "1s"}, CARRY),
    "inactive_threshold": Change({}, {"inactive_threshold": "1h"}),
    "num_replicas": Change({}, {"num_replicas": 1}),
    "mem_storage": Change({}, {"mem_storage": True}, CARRY),
    "pause_until": Change({}, {"pause_until": "2099-01-01T00:00:00Z"}),
    "priority_groups": Change(PINNED, {"priority_groups": ["h"]}),
    "priority_policy": Change(PINNED, {"priority_policy": "overflow"}),
    "priority_timeout": Change(PINNED, {"priority_timeout": "1m"}),
    "metadata": Change({}, {"metadata": {"team": "orders"}}),
}  # fmt: skip
# There and back again: what a pull consumer becomes, and each change taken back.
KINDS = {"pull to push": ({}, PUSH), "push to pull": (PUSH, {})}
RETENTIONS = ("limits", "interest", "workqueue")


@pytest.fixture(autouse=True)
def _files_are_gone(server: NatsServer, jetstream: JetStream) -> Iterator[None]:
    """Each test makes the stream anew."""
    yield
    for name in jetstream.streams():
        streams.delete(jetstream, server, name)


@pytest.fixture
def where(server: NatsServer) -> Iterator[Context]:
    """A run of its own."""
    with closing(ServerView(server.url, None, Credentials())) as view:
        yield Context(view)


def _spec(fields: dict[str, Any]) -> ConsumerSpec:
    return ConsumerSpec(STREAM, consumer(NAME, **{name: value for name, value in fields.items() if value is not None}))


def _at_work(where: Context, raw: RawClient, fields: dict[str, Any], retention: str = "limits") -> ConsumerSpec:
    """The consumer with these fields, when the first messages are acknowledged and the others are not."""
    where.client().create(config(STREAM, subjects=["orders.*"], retention=retention))
    pull = _spec(
        {name: fields[name] for name in ("deliver_policy", "opt_start_seq", "opt_start_time") if name in fields}
    )
    ensure_consumer(where, pull)
    for number in range(MESSAGES):
        raw.publish(f"orders.{number % 2}")
    raw.consume(STREAM, NAME, TAKEN)
    where.run.on_consumer_read(pull)
    before = _spec(fields)
    info = ensure_consumer(where, before)
    assert (info.acknowledged, info.outstanding) == WHERE_IT_WAS
    return before


def test_every_field_is_tried() -> None:
    """All but the name, which is another consumer."""
    assert [*CHANGES] == [each.name for each in CONSUMER_FIELDS if each.name != "durable_name"]


@pytest.mark.parametrize("name", CHANGES)
def test_a_field(where: Context, raw: RawClient, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In place and carried it stays where it was, without approval; replaced, it is where the new start says."""
    change = CHANGES[name]
    before, after = _at_work(where, raw, change.before), _spec({**change.before, **change.after})
    planned = plan_consumer(before.config, after.config, where.server.streams()[STREAM].config)
    assert change.effect is planned.effect
    if change.effect is REPLACE:
        monkeypatch.setenv(ALLOW_LOSS, before.label)

    info = ensure_consumer(where, after)

    assert change.position == (info.acknowledged, info.outstanding)
    again = ensure_consumer(where, after)
    assert (info.created, info.acknowledged) == (again.created, again.acknowledged)


@pytest.mark.parametrize("retention", RETENTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_another_kind(where: Context, raw: RawClient, kind: str, retention: str) -> None:
    """A pull consumer that becomes a push consumer, and back, goes on where it was."""
    before, after = KINDS[kind]
    _at_work(where, raw, before, retention)
    info = ensure_consumer(where, _spec(after))
    assert (info.acknowledged, info.outstanding) == WHERE_IT_WAS


# Of the stream beneath: in place, carried over, under another name.
STREAMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "limits": ({}, {"max_age": "1d", "max_msgs": 100}),
    "subjects": ({}, {"subjects": ["orders.*", "sales.*"]}),
    "retention in place": ({}, {"retention": "interest"}),
    "compression": ({}, {"compression": "s2"}),
    "storage": ({}, {"storage": "memory"}),
    "storage back": ({"storage": "memory"}, {}),
    "to a work queue": ({}, {"retention": "workqueue"}),
    "from a work queue": ({"retention": "workqueue"}, {}),
    "sealed": ({}, {"storage": "memory", "sealed": True}),
}
RENAMED: dict[str, dict[str, Any]] = {"the same": {}, "with other storage": {"storage": "memory"}}


def _positions(raw: RawClient, stream: str) -> dict[str, list[Any]]:
    keys = ("delivered", "ack_floor", "num_ack_pending", "num_pending")
    return {each["name"]: [_sequences(each[key]) for key in keys] for each in raw.consumers(stream)}


def _sequences(value: Any) -> Any:
    return (value["consumer_seq"], value["stream_seq"]) if isinstance(value, dict) else value


def _used(where: Context, raw: RawClient, server: NatsServer, fields: dict[str, Any]) -> dict[str, Any]:
    """The state of a stream whose consumer has acknowledged some messages, and has others that it may yet."""
    outs = dict(provider().create(props(server, STREAM, **{"subjects": ["orders.*"], **fields})).outs or {})
    ensure_consumer(where, _spec({}))
    for number in range(MESSAGES):
        raw.publish(f"orders.{number % 2}")
    snapshots.consume(where.client(), NAME, TAKEN, without=(1,))
    close_all()
    provider().read(STREAM, outs)
    return outs


@pytest.mark.parametrize("name", STREAMS)
def test_its_stream(
    where: Context, raw: RawClient, server: NatsServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """However the stream is changed, each consumer's position is to the last number what it was."""
    before, after = STREAMS[name]
    monkeypatch.setenv(ALLOW_LOSS, STREAM)  # a work queue has nothing that is acknowledged
    outs = _used(where, raw, server, before)
    positions = _positions(raw, STREAM)
    wanted = props(server, STREAM, **{"subjects": ["orders.*"], **after})
    assert [] == failures(wanted, olds=outs)
    provider().update(STREAM, outs, wanted)
    assert positions == _positions(raw, STREAM)
    assert [(TAKEN, TAKEN), (1, 1), 1, MESSAGES - TAKEN] == positions[NAME]


@pytest.mark.parametrize("name", RENAMED)
def test_its_stream_gets_another_name(where: Context, raw: RawClient, server: NatsServer, name: str) -> None:
    """The same under the new name."""
    _used(where, raw, server, {})
    positions = _positions(raw, STREAM)
    provider().create(props(server, "SALES", renamed_from=STREAM, subjects=["orders.*"], **RENAMED[name]))
    assert positions == _positions(raw, "SALES")
    assert ["SALES"] == raw.stream_names()


def test_its_stream_is_restored(where: Context, raw: RawClient, server: NatsServer, tmp_path: Path) -> None:
    """From a backup, after the stream is gone."""
    _used(where, raw, server, {})
    positions = _positions(raw, STREAM)
    backup(where.client(), STREAM, tmp_path, snapshots.silent)
    streams.delete(where.client(), server, STREAM)
    restore(where.client(), tmp_path / STREAM, snapshots.silent)
    assert positions == _positions(raw, STREAM)


def test_its_bucket_is_carried_over(raw: RawClient, server: NatsServer, jetstream: JetStream) -> None:
    """A service's durable consumer on a bucket's stream."""
    inputs = {"bucket": "A", "history": 5, "on_delete": "guard", "url": server.url}
    outs = dict(KeyValueProvider().create(inputs).outs or {})
    for number in range(MESSAGES):
        raw.publish(f"$KV.A.{number % 2}")
    raw.add_consumer("KV_A", NAME)
    raw.consume("KV_A", NAME, TAKEN)
    positions = _positions(raw, "KV_A")
    close_all()
    KeyValueProvider().read("KV_A", outs)
    KeyValueProvider().update("KV_A", outs, {**inputs, "storage": "memory"})
    assert "memory" == jetstream.streams()["KV_A"].config["storage"]
    assert positions == _positions(raw, "KV_A")
