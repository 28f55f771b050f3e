"""Buckets and object stores of the catalogue, through the engine: resources of their own, in their own words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project
from tests.support.nats_py import got, got_object, put_all, put_objects
from tests.support.nats_server import NatsServer


@pytest.fixture
def own(external: Project) -> Project:
    """A project with a catalogue of its own, whose entries are guarded."""
    external.configure(**{**external.settings, "onDelete": "guard"}, catalogue="streams.yaml")
    return external


def _catalogue(project: Project, history: int, **more: Any) -> None:
    project.catalogue(
        ORDERS={"sources": [{"name": "KV_SESSIONS"}]},
        buckets={"SESSIONS": {"history": history, "ttl": "1d"}},
        objects={"SESSIONS": {"ttl": "1d"}},
        **more,
    )


def test_from_the_first_up_to_the_last(own: Project, jetstream: JetStream, server: NatsServer) -> None:
    """Made beside each other, used, drifted, trimmed with approval, guarded, deleted."""
    _catalogue(own, 5)
    made = own.up().text
    for kind, name in (("Stream", "ORDERS"), ("KeyValue", "SESSIONS"), ("ObjectStore", "SESSIONS")):
        assert f"jetstream:{kind}::{name}]" in made
    put_all(server, "SESSIONS", one=[b"1", b"2", b"3"], two=[b"1", b"2", b"3"])
    put_objects(server, "SESSIONS", file=b"content")
    live = jetstream.stream("KV_SESSIONS")
    assert live
    jetstream.update({**live.config, "max_age": 60 * 60 * 10**9, "discard": "old"})

    drift = own.drift()
    assert re.search(r'~ ttl *: "1h" => "1d"', drift)
    assert re.search(r'discard *: "old"', drift)

    _catalogue(own, 2)
    refused = own.preview()
    assert refused.code != 0
    lost = "KV_SESSIONS: ttl 1h -> 1d, history 5 -> 2, discard old -> new would delete 2 of 6 revisions"
    assert lost in refused.text
    own.up(STREAMS_ALLOW_LOSS="KV_SESSIONS")
    assert own.unchanged()
    assert (b"3", b"content") == (got(server, "SESSIONS", "one"), got_object(server, "SESSIONS", "file"))

    own.catalogue(OTHER={})
    refused = own.preview()
    assert refused.code != 0
    assert "KV_SESSIONS holds 2 keys in 4 revisions and has 0 consumers, and on_delete is guard" in refused.text
    assert "OBJ_SESSIONS holds 1 object in 2 messages and has" in refused.text
