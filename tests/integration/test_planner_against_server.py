"""The planner's verdict, compared with what a real server answers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.errors import UNKNOWN_FIELD, ApiError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.plan.diff import Effect, differences, plan
from provisioner.rules.normalise import update_request
from provisioner.rules.server_limits import consumer_problems, surrounding_problems
from provisioner.rules.stream_config import create_problems
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import ServerFacts, StreamConfig
from tests.support.configurations import MINUTE, NAME, SECOND, changed, configurations, wire_config
from tests.support.nats_server import binary, running

EXAMPLES = int(os.environ.get("PLANNER_EXAMPLES", "600"))
_generated = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)

CONSUMERS: tuple[dict[str, Any], ...] = (
    {"ack_policy": "explicit"},
    {"ack_policy": "all", "inactive_threshold": 2 * MINUTE},
    {"ack_policy": "explicit", "max_ack_pending": 3},
    {"ack_policy": "none"},
)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[JetStream, ServerFacts]]:
    """A client, and a server of its own that holds two other streams."""
    with running(tmp_path_factory.mktemp("estate")) as server:
        yield from _estate(JetStream(server.url, Credentials()))


def _estate(client: JetStream) -> Iterator[tuple[JetStream, ServerFacts]]:
    client.create({**wire_config(), "name": "ORIGIN", "subjects": ["origin.>"], "max_msg_size": 1000})
    client.create({**wire_config(), "name": "OTHER", "subjects": ["other.>"], "allow_direct": True})
    others = {name: live.config for name, live in client.streams().items()}
    yield client, ServerFacts(others=others)
    client.close()


WHOLE: dict[str, Any] = {"src": "", "dest": "x.>"}
PART: dict[str, Any] = {"src": "a.>", "dest": "x.>"}
READER: dict[str, Any] = {"name": "c", "deliver_subject": "d.s"}

# What the generated configurations have found, or once could have.
CREATES: list[dict[str, Any]] = [
    {"sources": [{"name": "ORIGIN"}, {"name": "ORIGIN", "subject_transforms": [WHOLE, WHOLE]}]},
    {"sources": [{"name": "ORIGIN", "subject_transforms": [WHOLE, PART]}]},
    {"sources": [{"name": "ORIGIN", "subject_transforms": [{"src": ">", "dest": "x.>"}, WHOLE]}]},
    {"sources": [{"name": "ORIGIN", "subject_transforms": [PART, PART]}]},
    {"mirror": {"name": "ORIGIN", "subject_transforms": [WHOLE, WHOLE]}},
    {"mirror": {"name": "ORIGIN", "subject_transforms": [WHOLE, PART]}},
    {
        "sources": [
            {"name": "ORIGIN", "consumer": READER},
            {"name": "ORIGIN", "consumer": READER, "subject_transforms": [PART]},
        ]
    },
]
COUNTER, SCHEDULES, MARKERS = (
    {"allow_msg_counter": True},
    {"allow_msg_schedules": True},
    {"subject_delete_marker_ttl": SECOND},
)
SEALED: dict[str, Any] = {"sealed": True}
UPDATES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (COUNTER, COUNTER | SEALED),
    (SCHEDULES, SCHEDULES | SEALED),
    ({}, {"allow_rollup_hdrs": True, "deny_purge": True} | SEALED),
    ({"deny_purge": True}, {"allow_rollup_hdrs": True} | SEALED),
    ({"deny_purge": True}, SCHEDULES | SEALED),
    ({"deny_purge": True}, MARKERS | SEALED),
    ({"deny_purge": True}, SEALED),
    (COUNTER | MARKERS, COUNTER | MARKERS | {"description": "new"}),
]


@pytest.mark.parametrize("fields", CREATES, ids=str)
def test_known_configurations(estate: tuple[JetStream, ServerFacts], fields: dict[str, Any]) -> None:
    """The server's answer to a CREATE is the verdict of the rules."""
    _compare_create(estate, wire_config(**fields))


@pytest.mark.parametrize(("old", "new"), UPDATES, ids=str)
def test_known_changes(estate: tuple[JetStream, ServerFacts], old: dict[str, Any], new: dict[str, Any]) -> None:
    """The server's answer to an UPDATE is the verdict of the plan."""
    client, facts = estate
    client.create(wire_config(**old))
    try:
        _compare(client, facts, wire_config(**new), [])
    finally:
        client.delete(NAME)


def test_a_sealed_stream_takes_further_changes(estate: tuple[JetStream, ServerFacts]) -> None:
    """Sealing turns denials on that no later request may turn off."""
    client, facts = estate
    client.create(wire_config())
    try:
        client.update(update_request(wire_config(sealed=True)))
        _compare(client, facts, wire_config(sealed=True, description="new"), [])
    finally:
        client.delete(NAME)


@given(wanted=configurations())
@_generated
def test_a_configuration_the_server_refuses_is_a_problem(
    estate: tuple[JetStream, ServerFacts], wanted: StreamConfig
) -> None:
    """What the rules let through the server creates without a rewrite we do not know; all else it refuses."""
    _compare_create(estate, wanted)


def _compare_create(estate: tuple[JetStream, ServerFacts], wanted: StreamConfig) -> None:
    client, facts = estate
    problems = [*create_problems(wanted), *surrounding_problems(wanted, facts)]
    try:
        live = client.create(wanted)
    except ApiError as error:
        assert problems, error
    else:
        client.delete(NAME)
        assert problems == []
        assert differences(live.config, wanted) == ()


@given(data=st.data())
@_generated
def test_a_plan_is_what_the_server_does(estate: tuple[JetStream, ServerFacts], data: st.DataObject) -> None:
    """An update is accepted, a replacement refused as an update and accepted anew, an impossible one refused."""
    client, facts = estate
    old = data.draw(configurations().filter(lambda c: not create_problems(c) and not surrounding_problems(c, facts)))
    wanted = data.draw(changed(old))
    client.create(old)
    try:
        consumers = _populate(client, old, data)
        _compare(client, facts, wanted, consumers)
    finally:
        client.delete(NAME)


def _populate(client: JetStream, old: StreamConfig, data: st.DataObject) -> list[dict[str, Any]]:
    if data.draw(st.booleans(), "messages") and not old["no_ack"] and "a.>" in old["subjects"]:
        for number in range(3):
            client.connection.request(f"a.{number}", b"payload")
    if data.draw(st.booleans(), "consumer"):
        config = {"durable_name": "c", "name": "c", **data.draw(st.sampled_from(CONSUMERS))}
        try:
            client.request(f"CONSUMER.CREATE.{NAME}.c", {"stream_name": NAME, "config": config})
        except ApiError:
            return []
    return client.consumers(NAME)


def _compare(client: JetStream, facts: ServerFacts, wanted: StreamConfig, consumers: list[dict[str, Any]]) -> None:
    live = client.stream(NAME)
    assert live
    planned = plan(live.config, wanted)
    if planned.effect is Effect.NOTHING:
        return
    around = surrounding_problems(wanted, facts, live.config) + consumer_problems(live.config, wanted, consumers)
    effect = Effect.IMPOSSIBLE if around else planned.effect
    # The one exception: an UPDATE of first_seq is accepted and has no effect, so it is a replacement.
    without_effect = "first_seq" in planned.replaces
    try:
        updated = client.update(update_request(wanted))
    except ApiError as error:
        assert effect in (Effect.REPLACE, Effect.IMPOSSIBLE), error
        if effect is Effect.REPLACE:
            client.delete(NAME)
            assert differences(client.create(wanted).config, wanted) == ()
    else:
        assert effect is Effect.UPDATE or without_effect, (planned, around)
        assert differences(updated.config, wanted) == ()


def test_first_seq_is_accepted_and_has_no_effect(jetstream: JetStream) -> None:
    """Why a change of first_seq is planned as a new stream although the server takes the update."""
    jetstream.create(wire_config(first_seq=5))
    updated = jetstream.update(wire_config(first_seq=50))
    jetstream.connection.request(NAME, b"payload")
    state = jetstream.request(f"STREAM.INFO.{NAME}")["state"]

    assert (50, 5) == (updated.config["first_seq"], state["last_seq"])


def test_the_server_knows_no_field_that_the_table_lacks(jetstream: JetStream) -> None:
    """Of all JSON names in the server's binary, it takes exactly the table's in a stream's configuration."""
    names = {name.decode() for name in re.findall(rb'json:"([a-z_0-9]+)', Path(binary()).read_bytes())}
    known = {field.name for field in FIELDS} | {"pedantic"}  # a switch of the request, not a field

    assert known <= names
    assert [] == sorted(name for name in names - known if _is_known(jetstream, name))


def _is_known(client: JetStream, name: str) -> bool:
    try:
        client.request(f"STREAM.CREATE.{NAME}", {"name": NAME, name: None})
    except ApiError as error:
        return error.code != UNKNOWN_FIELD
    return True
