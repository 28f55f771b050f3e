"""Consumers whose streams change at the same time: carried over, renamed, deleted by hand, moved to another server."""

from __future__ import annotations

from pathlib import Path

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
