"""Streams that give their messages to each other: what a server refuses, and what it lets go round and round."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.catalogue.reader import parse
from provisioner.jetstream.codec import to_request
from provisioner.providers import properties
from provisioner.schema.model import OnDelete
from tests.support.configurations import wire_config
from tests.support.feedback import CASES, ENDS, LOOPS, REFUSED
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient, RequestError
from tests.support.stream_provider import gate
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("jetstream")

_MANY = 50


@pytest.mark.parametrize("case", CASES)
def test_what_happens(raw: RawClient, case: str) -> None:
    """The table that the rules are measured by is what nats-server does."""
    expected, streams = CASES[case]
    if expected == REFUSED:
        with pytest.raises(RequestError, match="cycle"):
            _make(raw, streams)
        return
    _make(raw, streams)
    for subject in _published(streams):
        raw.publish(subject, b"1")
    if expected == LOOPS:
        until("messages go round", lambda: any(number > _MANY for number in _numbers(raw, streams)))
        return
    for _ in range(_MANY):
        assert max(_numbers(raw, streams)) <= len(streams) * 2
    assert expected == ENDS


@pytest.mark.usefixtures("own_process")
def test_a_way_back_through_somebody_elses_stream(server: NatsServer, raw: RawClient) -> None:
    """Found in preview, as those of the catalogue are."""
    _make(raw, [{"name": "B", "subjects": ["b.>"], "republish": {"src": "b.>", "dest": "a.>"}}])
    (spec,) = parse("A: {subjects: [a.>], republish: {src: a.>, dest: b.>}}", "c").streams
    (problem,) = gate(server, [properties.inputs(spec, OnDelete.GUARD)])
    assert problem.endswith("closes a cycle: A -> B -> A; a message would go round and round")


def _make(raw: RawClient, streams: list[dict[str, Any]]) -> None:
    for stream in streams:
        raw.ask(f"STREAM.CREATE.{stream['name']}", to_request(wire_config(**{**stream, "storage": "memory"})))


def _published(streams: list[dict[str, Any]]) -> list[str]:
    return [subject.replace(">", "x") for stream in streams for subject in stream.get("subjects", ())]


def _numbers(raw: RawClient, streams: list[dict[str, Any]]) -> list[int]:
    return [raw.info(stream["name"])["state"]["last_seq"] for stream in streams]
