"""Consumers of the catalogue, through the engine: created, changed where they stand, replaced, kept, deleted."""

from __future__ import annotations

from typing import Any

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumer, consumers
from tests.e2e.conftest import Project
from tests.support.raw_nats import RawClient

STREAM, NAME = "ORDERS", "worker"


def _catalogue(project: Project, **fields: Any) -> None:
    project.catalogue(ORDERS={"subjects": ["orders.>"], "consumers": {NAME: fields}})


def _position(jetstream: JetStream) -> tuple[int, int]:
    info = consumer(jetstream, STREAM, NAME)
    assert info
    return info.acknowledged, info.outstanding


def test_from_the_first_up_to_the_last(own: Project, jetstream: JetStream, raw: RawClient) -> None:
    """Created, unchanged, updated in place, drifted and healed, replaced at its position, deleted with approval."""
    _catalogue(own, ack_wait="10s", filter_subject="orders.new", purpose="Takes orders")
    own.up()
    assert own.unchanged()
    for _ in range(5):
        raw.publish("orders.new")
    raw.consume(STREAM, NAME, 2)

    _catalogue(own, ack_wait="20s", max_deliver=5, filter_subject="orders.new")
    planned = own.preview()
    assert planned.code == 0, planned.text
    assert '"10s" => "20s"' in planned.text
    own.up()
    assert own.unchanged()
    assert (2, 3) == _position(jetstream)

    raw.add_consumer(STREAM, NAME, ack_wait=5_000_000_000, filter_subject="orders.new")
    assert '"5s" => "20s"' in own.drift()
    own.up()
    assert own.unchanged()

    _catalogue(own, ack_policy="all", max_waiting=100, filter_subject="orders.new")
    told = "ack_policy explicit -> all, max_waiting 512 -> 100 needs a new consumer, which goes on where the old one is"
    assert f"{STREAM}/{NAME}: {told}" in own.up().text
    assert own.unchanged()
    assert (2, 3) == _position(jetstream)
    assert [NAME] == [*consumers(jetstream, STREAM)]

    own.catalogue(ORDERS={"subjects": ["orders.>"]})
    refused = own.preview()
    assert refused.code != 0
    assert "ORDERS/worker: 3 messages wait to be acknowledged, and on_delete is guard" in refused.text
    own.up(STREAMS_ALLOW_LOSS=f"{STREAM}/{NAME}")
    assert {} == consumers(jetstream, STREAM)


def test_what_comes_again_or_not_at_all_needs_a_yes(own: Project, jetstream: JetStream, raw: RawClient) -> None:
    """Another start and other filters are counted; nothing is touched without approval."""
    _catalogue(own)
    own.up()
    for number in range(6):
        raw.publish("orders.new" if number % 2 else "orders.old")
    raw.consume(STREAM, NAME, 4)

    for fields, told in (
        ({"deliver_policy": "by_start_sequence", "opt_start_seq": 1}, "would redeliver up to 4 and skip up to 2"),
        ({"deliver_policy": "new"}, "deliver_policy all -> new needs a new consumer and would skip 2 messages"),
        ({"filter_subject": "orders.old"}, "would skip up to 2 messages"),
    ):
        _catalogue(own, **fields)
        for command in (("preview",), ("up", "--yes", "--skip-preview")):
            refused = own.pulumi(*command)
            assert refused.code != 0
            assert told in refused.text, refused.text
        assert (4, 2) == _position(jetstream)

    _catalogue(own, deliver_policy="new")
    own.up(STREAMS_ALLOW_LOSS=f"{STREAM}/{NAME}")
    assert (6, 0) == _position(jetstream)
    assert own.unchanged()


def test_services_and_the_stack_in_any_order(own: Project, jetstream: JetStream, raw: RawClient) -> None:
    """What a service has made is taken over where it is equal; what is not is refused, and named."""
    own.catalogue(ORDERS={"subjects": ["orders.>"]})
    own.up()
    raw.add_consumer(STREAM, NAME)
    raw.add_consumer(STREAM, "other", max_deliver=3)
    raw.publish("orders.new")

    own.catalogue(ORDERS={"subjects": ["orders.>"], "consumers": {NAME: None, "other": {"max_deliver": 5}}})
    refused = own.preview()
    assert refused.code != 0
    assert "ORDERS/other already exists" in refused.text
    assert "(max_deliver 3 -> 5)" in refused.text

    both = {NAME: None, "other": {"max_deliver": 5, "adopt": "always"}}
    own.catalogue(ORDERS={"subjects": ["orders.>"], "consumers": both})
    own.up()
    assert own.unchanged()
    raw.add_consumer(STREAM, NAME)  # a service that starts again
    assert own.unchanged()
    assert {NAME, "other"} == {*consumers(jetstream, STREAM)}


def test_an_empty_stack_goes_with_its_consumers(own: Project, jetstream: JetStream) -> None:
    """Consumers of the stack's own do not guard an empty stream; somebody else's do."""
    _catalogue(own)
    own.up()
    own.destroy()

    assert {} == jetstream.streams()


def test_what_the_server_would_refuse_is_an_error_in_preview(own: Project) -> None:
    """Each line names file, line, consumer and field."""
    own.catalogue(
        ORDERS={
            "subjects": ["orders.>"],
            "consumers": {
                "a": {"ack_wait": "10", "max_delivery": 3},
                "b.c": None,
                "d": {"flow_control": True, "deliver_policy": "by_start_time"},
            },
        }
    )
    refused = own.preview()

    assert refused.code != 0
    for line in (
        "streams.yaml:6: ORDERS.consumers.a.ack_wait: '10' is not a duration",
        "streams.yaml:7: ORDERS.consumers.a.max_delivery: unknown field; did you mean max_deliver?",
        "streams.yaml:8: ORDERS.consumers.b.c: must not be empty",
        "streams.yaml:9: ORDERS.consumers.d.opt_start_time: goes with deliver_policy by_start_time",
        "streams.yaml:10: ORDERS.consumers.d.flow_control: is for push consumers",
    ):
        assert line in refused.text, refused.text
