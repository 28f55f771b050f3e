"""The number of messages a change is said to cost, compared with what a real server then deletes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.plan import message_loss
from provisioner.plan.diff import Effect, plan
from provisioner.plan.message_loss import Loss, forecast
from provisioner.reconcile.loss_approval import StreamCounter
from provisioner.rules.normalise import update_request
from provisioner.schema.model import StreamConfig, StreamInfo
from tests.support import corpus
from tests.support.configurations import config
from tests.support.exploring import explore, explores
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import RawClient, raw_client
from tests.support.streams import delete
from tests.support.waiting import until

COUNT = int(os.environ.get("LOSS_EXAMPLES", "60"))
NAME = "ORDERS"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server of this module's own."""
    with running(tmp_path_factory.mktemp("losses")) as server:
        yield server


@pytest.fixture(scope="module")
def js(own_server: NatsServer) -> Iterator[JetStream]:
    """The program's client."""
    with closing(JetStream(own_server.url, Credentials())) as client:
        yield client


@pytest.fixture
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is too old now is counted, so that a test need not wait for minutes."""
    monkeypatch.setattr(message_loss, "AGE_MARGIN_S", 0)
    monkeypatch.setattr(message_loss, "_SOON_S", 0)


@pytest.fixture
def stream(js: JetStream, own_server: NatsServer) -> Iterator[str]:
    """The stream's name; whatever a test makes of it is gone in the end."""
    yield NAME
    delete(js, own_server, NAME)


@pytest.fixture(scope="module")
def raw(own_server: NatsServer) -> Iterator[RawClient]:
    """The tests' own client."""
    with raw_client(own_server.url) as client:
        yield client


def _fill(raw: RawClient, subjects: list[int], size: int = 100) -> None:
    for number in subjects:
        assert NAME == raw.publish(f"a.{number}", b"x" * size)


def _info(js: JetStream) -> StreamInfo:
    info = js.stream(NAME)
    assert info
    return info


def _loss(js: JetStream, desired: StreamConfig) -> Loss:
    info = _info(js)
    return forecast(info, desired, plan(info.config, desired), StreamCounter(js, NAME))


def _lost(js: JetStream, desired: StreamConfig) -> int:
    """What the update deletes: all but an age limit trims before the server answers."""
    before = _info(js)
    js.update(update_request(desired))
    return before.messages - _info(js).messages


# What is changed, of nine messages of 100 bytes on three subjects; how many go, and the fewest and most announced.
CASES: list[tuple[dict[str, Any], dict[str, Any], int, tuple[int, int]]] = [
    ({}, {"max_msgs": 4}, 5, (5, 5)),
    ({}, {"max_msgs": 20}, 0, (0, 0)),
    ({}, {"max_bytes": 400}, 6, (1, 9)),
    ({}, {"max_msgs_per_subject": 2}, 3, (3, 3)),
    ({}, {"max_msgs": 4, "discard": "new"}, 0, (0, 0)),
    ({}, {"max_bytes": 400, "discard": "new"}, 0, (0, 0)),
    ({}, {"max_msgs_per_subject": 2, "discard": "new"}, 3, (3, 3)),
    ({}, {"retention": "interest"}, 9, (9, 9)),
    ({}, {"sealed": True, "max_msgs": 4}, 0, (0, 0)),
    ({}, {"subjects": ["b.>"]}, 0, (0, 0)),
    ({}, {"compression": "s2"}, 0, (0, 0)),
    ({}, {"max_msg_size": 10}, 0, (0, 0)),
    ({}, {"subject_delete_marker_ttl": "1s"}, 0, (0, 0)),
    ({"sources": [{"name": "OTHER"}]}, {}, 0, (0, 0)),
]


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize("storage", ["file", "memory"])
@pytest.mark.parametrize(("old", "new", "lost", "announced"), CASES)
def test_each_kind_of_change(
    js: JetStream,
    raw: RawClient,
    storage: str,
    old: dict[str, Any],
    new: dict[str, Any],
    lost: int,
    announced: tuple[int, int],
) -> None:
    """Exact where the server can tell, an honest bound where not, nothing where nothing goes."""
    js.create(config(**{"subjects": ["a.>"], "storage": storage, **old}))
    _fill(raw, [1, 2, 3] * 3)
    desired = config(**{"subjects": ["a.>"], "storage": storage, **new})
    loss = _loss(js, desired)
    assert announced == (loss.messages.fewest, loss.messages.most), str(loss)
    assert lost == _lost(js, desired)


@pytest.mark.usefixtures("stream", "no_margin")
def test_messages_past_a_new_age(js: JetStream, raw: RawClient) -> None:
    """Counted exactly, gaps from deleted messages included; the line names the oldest."""
    js.create(config(subjects=["a.>"]))
    _fill(raw, [1] * 6)
    raw.delete_messages(NAME, 3)
    newest = datetime.fromisoformat(raw.message(NAME, 6)["time"])
    until("all six are older than the new max_age", lambda: datetime.now(UTC) > newest + timedelta(seconds=2.1))
    _fill(raw, [1] * 4)
    oldest = datetime.fromisoformat(raw.message(NAME, 1)["time"])
    loss = _loss(js, config(subjects=["a.>"], max_age="2s", duplicate_window="2s"))

    assert f"max_age unlimited -> 2s would delete 5 of 9 messages (about {loss.live.bytes * 5 // 9} B" in str(loss)
    assert f"oldest {oldest:%Y-%m-%dT%H:%M:%S}Z" in str(loss)


@pytest.mark.usefixtures("stream", "no_margin")
def test_an_age_limit_deletes_what_was_counted(js: JetStream, raw: RawClient) -> None:
    """The server deletes by age a moment after its answer: the old messages, and no others."""
    js.create(config(subjects=["a.>"]))
    _fill(raw, [1] * 5)
    newest = datetime.fromisoformat(raw.message(NAME, 5)["time"])
    until("all five are older than the new max_age", lambda: datetime.now(UTC) > newest + timedelta(seconds=5))
    _fill(raw, [1] * 4)
    desired = config(subjects=["a.>"], max_age="5s", duplicate_window="5s")
    assert (5, 5) == (_loss(js, desired).messages.fewest, _loss(js, desired).messages.most)
    js.update(update_request(desired))
    until("the old messages are gone", lambda: _info(js).messages <= 4)
    assert [6, 7, 8, 9] == [message["seq"] for message in raw.messages(NAME)]


@pytest.mark.usefixtures("stream")
def test_interest_of_consumers_is_a_bound(js: JetStream, raw: RawClient) -> None:
    """With consumers it is theirs to say what goes, and when: announced as up to all."""
    js.create(config(subjects=["a.>"]))
    _fill(raw, [1, 2, 3])
    raw.add_consumer(NAME, "c", filter_subject="a.1")
    loss = _loss(js, config(subjects=["a.>"], retention="interest"))
    assert "would delete up to 3 of 3 messages" in str(loss)
    assert (0, 3) == (loss.messages.fewest, loss.messages.most)


@pytest.mark.usefixtures("stream")
def test_a_replacement_costs_everything(js: JetStream, raw: RawClient) -> None:
    """All messages, exactly, and why."""
    js.create(config(subjects=["a.>"]))
    _fill(raw, [1, 2, 3])
    loss = _loss(js, config(subjects=["a.>"], first_seq=1000))
    assert str(loss).startswith("first_seq 0 -> 1000 needs a new stream and would delete 3 of 3 messages (")
    assert (3, 3) == (loss.messages.fewest, loss.messages.most)


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


EXAMPLES = st.fixed_dictionaries(
    {
        "subjects": st.lists(st.integers(0, 4), max_size=25),
        "size": st.integers(1, 200),
        "storage": st.sampled_from(["file", "memory"]),
        "new": _limits,
    }
)


@dataclass(frozen=True)
class Site:
    """A server and its two clients."""

    server: NatsServer = field(repr=False)
    js: JetStream = field(repr=False)
    raw: RawClient = field(repr=False)


@pytest.fixture(scope="module")
def site(own_server: NatsServer, js: JetStream, raw: RawClient) -> Site:
    """What a comparison needs."""
    return Site(own_server, js, raw)


def _compare(site: Site, example: dict[str, Any]) -> None:
    """What is announced of a change is what happens."""
    site.js.create(config(subjects=["a.>"], storage=example["storage"]))
    try:
        _announce_and_update(site.js, site.raw, example)
    finally:
        delete(site.js, site.server, NAME)


def _announce_and_update(js: JetStream, raw: RawClient, example: dict[str, Any]) -> None:
    _fill(raw, example["subjects"], example["size"])
    desired = config(subjects=["a.>"], storage=example["storage"], **example["new"])
    if plan(_info(js).config, desired).effect is Effect.UPDATE:
        loss, lost = _loss(js, desired), _lost(js, desired)
        assert loss.messages.fewest <= lost <= loss.messages.most, f"{lost} were lost, announced: {loss.messages}"


def _prove(site: Site, example: dict[str, Any]) -> None:
    with corpus.replayable("message_loss", example):
        _compare(site, example)


@given(example=EXAMPLES)
@settings(max_examples=COUNT, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_number_announced_is_the_number_lost(site: Site, example: dict[str, Any]) -> None:
    """Over generated streams and changes: what is exact is right, and a bound holds."""
    _prove(site, example)


@pytest.mark.parametrize("example", corpus.read("message_loss"), ids=lambda example: example["why"])
def test_a_number_that_was_wrong_once(site: Site, example: dict[str, Any]) -> None:
    """The announced number holds for every committed example."""
    _compare(site, example)


class TestExplore:
    """Streams and changes that no run has seen."""

    pytestmark = explores()

    def test_losses(self, site: Site) -> None:
        """What is announced is what happens, for new streams and changes."""
        explore(lambda example: _prove(site, example), EXAMPLES, share=0.1)
