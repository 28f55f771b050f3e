"""The number of messages a change is said to cost, compared with what a real server then deletes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.plan.diff import Effect, plan
from provisioner.plan.message_loss import Loss, forecast
from provisioner.reconcile.loss_approval import StreamCounter
from provisioner.rules.normalise import update_request
from provisioner.schema.model import StreamConfig
from tests.support.configurations import config
from tests.support.nats_server import running

EXAMPLES = int(os.environ.get("LOSS_EXAMPLES", "60"))


@pytest.fixture(scope="module")
def js(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JetStream]:
    """A client of a server of its own."""
    with running(tmp_path_factory.mktemp("losses")) as server:
        client = JetStream(server.url, Credentials())
        yield client
        client.close()


def _fill(js: JetStream, subjects: list[int], size: int = 100) -> None:
    for number in subjects:
        js.connection.request(f"a.{number}", b"x" * size)


def _loss(js: JetStream, desired: StreamConfig) -> Loss:
    live = js.stream("ORDERS")
    assert live
    return forecast(live, desired, plan(live.config, desired), StreamCounter(js, "ORDERS"))


def _lost(js: JetStream, desired: StreamConfig) -> int:
    before = js.stream("ORDERS")
    after = js.update(update_request(desired))
    assert before
    deadline = time.monotonic() + 2
    while after.messages == before.messages and time.monotonic() < deadline:
        time.sleep(0.01)
        after = js.stream("ORDERS") or after
    settled = js.stream("ORDERS")
    assert settled
    return before.messages - settled.messages


# What is changed, of nine messages of 100 bytes on three subjects; how many go; whether that is known exactly.
CASES: list[tuple[dict[str, Any], dict[str, Any], int, bool]] = [
    ({}, {"max_msgs": 4}, 5, True),
    ({}, {"max_msgs": 20}, 0, True),
    ({}, {"max_bytes": 400}, 6, False),
    ({}, {"max_msgs_per_subject": 2}, 3, True),
    ({}, {"max_msgs": 4, "discard": "new"}, 0, True),
    ({}, {"max_bytes": 400, "discard": "new"}, 0, True),
    ({}, {"max_msgs_per_subject": 2, "discard": "new"}, 3, True),
    ({}, {"retention": "interest"}, 9, True),
    ({}, {"sealed": True, "max_msgs": 4}, 0, True),
    ({}, {"subjects": ["b.>"]}, 0, True),
    ({}, {"compression": "s2"}, 0, True),
    ({}, {"max_msg_size": 10}, 0, True),
    ({}, {"subject_delete_marker_ttl": "1s"}, 0, True),
    ({"sources": [{"name": "OTHER"}]}, {}, 0, True),
]


@pytest.mark.parametrize("storage", ["file", "memory"])
@pytest.mark.parametrize(("old", "new", "lost", "exact"), CASES)
def test_each_kind_of_change(
    js: JetStream, storage: str, old: dict[str, Any], new: dict[str, Any], lost: int, exact: bool
) -> None:
    """Exact where the server can tell, an honest bound where not, nothing where nothing goes."""
    js.create(config(**{"subjects": ["a.>"], "storage": storage, **old}))
    try:
        _fill(js, [1, 2, 3] * 3)
        desired = config(**{"subjects": ["a.>"], "storage": storage, **new})
        loss = _loss(js, desired)
        assert exact == loss.exact, str(loss)
        happened = _lost(js, desired) if lost else _lost_at_once(js, desired)
        assert loss.messages.fewest <= happened <= loss.messages.most
        assert lost == happened
    finally:
        js.delete("ORDERS")


def _lost_at_once(js: JetStream, desired: StreamConfig) -> int:
    before = js.stream("ORDERS")
    after = js.update(update_request(desired))
    assert before
    return before.messages - after.messages


def test_messages_past_a_new_age(js: JetStream) -> None:
    """Counted exactly, gaps from deleted messages included; the line names the oldest."""
    js.create(config(subjects=["a.>"]))
    try:
        _fill(js, [1] * 6)
        js.request("STREAM.MSG.DELETE.ORDERS", {"seq": 3})
        time.sleep(1.2)
        _fill(js, [1] * 4)
        desired = config(subjects=["a.>"], max_age="1s", duplicate_window="1s")
        loss = _loss(js, desired)

        assert f"max_age unlimited -> 1s would delete 5 of 9 messages (about {loss.live.bytes * 5 // 9} B" in str(loss)
        assert f"oldest {datetime.now(UTC):%Y-%m-%dT}" in str(loss)
        assert 5 == _lost(js, desired)
    finally:
        js.delete("ORDERS")


def test_interest_of_consumers_is_a_bound(js: JetStream) -> None:
    """With consumers it is theirs to say what goes: announced as up to all."""
    js.create(config(subjects=["a.>"]))
    try:
        _fill(js, [1, 2, 3])
        consumer = {"durable_name": "c", "ack_policy": "explicit", "filter_subject": "a.1"}
        js.request("CONSUMER.CREATE.ORDERS.c.a.1", {"stream_name": "ORDERS", "config": consumer})
        assert "would delete up to 3 of 3 messages" in str(_loss(js, config(subjects=["a.>"], retention="interest")))
    finally:
        js.delete("ORDERS")


def test_a_replacement_costs_everything(js: JetStream) -> None:
    """All messages, exactly, and why."""
    js.create(config(subjects=["a.>"]))
    try:
        _fill(js, [1, 2, 3])
        loss = _loss(js, config(subjects=["a.>"], storage="memory"))
        assert str(loss).startswith("storage file -> memory needs a new stream and would delete 3 of 3 messages (")
    finally:
        js.delete("ORDERS")


_limits = st.fixed_dictionaries(
    {},
    optional={
        "max_msgs": st.integers(1, 30),
        "max_bytes": st.integers(200, 4000),
        "max_msgs_per_subject": st.integers(1, 10),
        "discard": st.sampled_from(["old", "new"]),
        "retention": st.sampled_from(["limits", "interest"]),
        "max_msg_size": st.integers(500, 1000),
        "sealed": st.booleans(),
    },
)


@given(
    subjects=st.lists(st.integers(0, 4), max_size=25),
    size=st.integers(1, 200),
    storage=st.sampled_from(["file", "memory"]),
    new=_limits,
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_number_announced_is_the_number_lost(
    js: JetStream, subjects: list[int], size: int, storage: str, new: dict[str, Any]
) -> None:
    """Over generated streams and changes: what is exact is right, and a bound holds."""
    js.create(config(subjects=["a.>"], storage=storage))
    try:
        _fill(js, subjects, size)
        desired = config(subjects=["a.>"], storage=storage, **new)
        live = js.stream("ORDERS")
        assert live
        if plan(live.config, desired).effect is not Effect.UPDATE:
            return
        loss = _loss(js, desired)
        assert loss.messages.fewest <= _lost_at_once(js, desired) <= loss.messages.most
    finally:
        js.delete("ORDERS")
