"""Consumers whose streams change at the same time: carried over, renamed, deleted by hand, moved to another server."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumer, consumers
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.nats_server import running
from tests.support.raw_nats import RawClient

STREAM, NAME = "ORDERS", "worker"


def _used(project: Project, raw: RawClient) -> None:
    """Five messages, two of them acknowledged."""
    project.catalogue(ORDERS={"subjects": ["orders.>"], "consumers": {NAME: None, "idle": None}})
    project.up()
    for _ in range(5):
        raw.publish("orders.new")
    raw.consume(STREAM, NAME, 2)


def _position(client: JetStream, stream: str = STREAM) -> tuple[int, int]:
    info = consumer(client, stream, NAME)
    assert info
    return info.acknowledged, info.outstanding


def test_the_stream_is_carried_over(own: Project, jetstream: JetStream, raw: RawClient) -> None:
    """In one run with a consumer that changes, and with one that is replaced."""
    _used(own, raw)
    changed = {NAME: {"max_waiting": 9}, "idle": {"ack_wait": "5s"}}
    own.catalogue(ORDERS={"subjects": ["orders.>"], "storage": "memory", "consumers": changed})
    own.up()

    assert (2, 3) == _position(jetstream)
    assert own.unchanged()
    own.catalogue(ORDERS={"subjects": ["orders.>"], "storage": "file", "consumers": changed})
    own.up()
    assert (2, 3) == _position(jetstream)
    assert own.unchanged()


def test_the_stream_gets_another_name(own: Project, jetstream: JetStream, raw: RawClient) -> None:
    """Its consumers come along, whatever else of them changes in the same run."""
    _used(own, raw)
    renamed = {"subjects": ["orders.>"], "renamed_from": STREAM, "consumers": {NAME: {"ack_wait": "5s"}, "idle": None}}
    own.catalogue(SALES=renamed)
    own.up()

    assert ["SALES"] == [*jetstream.streams()]
    assert (2, 3) == _position(jetstream, "SALES")
    assert own.unchanged()


def test_both_are_deleted_by_hand(own: Project, jetstream: JetStream, raw: RawClient) -> None:
    """A consumer, or its stream: the plan says so, and the next up makes them again."""
    _used(own, raw)
    raw.ask(f"CONSUMER.DELETE.{STREAM}.{NAME}")
    assert '- status      : "missing"' in own.drift()
    own.up()
    assert (0, 5) == _position(jetstream)
    assert own.unchanged()

    raw.ask(f"STREAM.DELETE.{STREAM}")
    own.drift()
    own.up()
    assert {NAME, "idle"} == {*consumers(jetstream, STREAM)}
    assert own.unchanged()


def test_they_move_to_another_server(own: Project, raw: RawClient, tmp_path: Path, jetstream: JetStream) -> None:
    """With their streams, and with their positions."""
    _used(own, raw)
    with running(tmp_path / "other") as other:
        own.configure(**{**own.settings, "url": other.url})
        refused = own.preview()
        assert refused.code != 0
        own.up(STREAMS_MOVE_DATA="yes")
        client = JetStream(other.url, Credentials())
        try:
            assert (2, 3) == _position(client)
        finally:
            client.close()
        assert own.unchanged()
        own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS=STREAM)
    assert {} == jetstream.streams()


# Two changes of one consumer: what both mean, and its position afterwards, as acknowledged and outstanding.
TWICE: dict[str, tuple[dict[str, Any], str, tuple[int, int]]] = {
    "ack_policy": (
        {"filter_subject": "orders.old", "ack_policy": "all"},
        "ack_policy explicit -> all needs a new consumer and would skip 3 to 4 messages",
        (2, 1),
    ),
    "deliver_policy": (
        {"filter_subject": "orders.new", "deliver_policy": "new"},
        "deliver_policy all -> new needs a new consumer and would redeliver up to 5 and skip up to 4 messages",
        (6, 0),
    ),
}


@pytest.mark.parametrize(
    ("way", "name"), [("moves", "ack_policy"), ("moves", "deliver_policy"), ("gets another name", "deliver_policy")]
)
def test_it_changes_twice_while_the_stream(
    own: Project, raw: RawClient, tmp_path: Path, jetstream: JetStream, way: str, name: str
) -> None:
    """What its changes skip is refused in preview, before the stream moves; with a yes all is done in one run."""
    _used(own, raw)
    raw.publish("orders.old")
    fields, told, position = TWICE[name]
    stream: dict[str, Any] = {"subjects": ["orders.>"], "consumers": {NAME: fields, "idle": None}}
    new = STREAM if way == "moves" else "SALES"
    with running(tmp_path / "other") as other:
        moves = {"STREAMS_MOVE_DATA": "yes"} if way == "moves" else {}
        own.configure(**{**own.settings, "url": other.url if moves else own.settings["url"]})
        own.catalogue(**{new: stream if moves else {**stream, "renamed_from": STREAM}})
        for command in (("preview",), ("up", "--yes", "--skip-preview")):
            refused = own.pulumi(*command, **moves)
            assert refused.code != 0
            assert f"{new}/{NAME}: {told}" in refused.text, refused.text
        assert (2, 4) == _position(jetstream)

        own.up(STREAMS_ALLOW_LOSS=f"{new}/{NAME}", **moves)
        with closing(JetStream(other.url if moves else own.settings["url"], Credentials())) as client:
            assert position == _position(client, new)
            assert {NAME, "idle"} == {*consumers(client, new)}
            assert 6 == client.state(new)["messages"]
        assert own.unchanged()
        own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS=new)


def test_the_stream_is_made_anew(own: Project, jetstream: JetStream, raw: RawClient) -> None:
    """A change that no message survives: its consumers are there again after the same run, from the beginning."""
    _used(own, raw)
    both = {NAME: None, "idle": None}
    own.catalogue(ORDERS={"subjects": ["orders.>"], "first_seq": 100, "on_delete": "delete", "consumers": both})
    refused = own.preview()
    assert "ORDERS: first_seq 0 -> 100 needs a new stream and would delete 5 of 5 messages" in refused.text
    own.up(STREAMS_ALLOW_LOSS=STREAM)

    assert {NAME, "idle"} == {*consumers(jetstream, STREAM)}
    assert own.unchanged()
