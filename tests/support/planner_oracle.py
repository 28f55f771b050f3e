"""The planner's verdict on a configuration or a change, compared with what a real server does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from provisioner.errors import ApiError, Conflict
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.codec import to_request
from provisioner.jetstream.target import Credentials
from provisioner.plan.diff import Effect, Plan, differences, plan
from provisioner.reconcile.apply import ensure
from provisioner.reconcile.context import Context
from provisioner.reconcile.loss_approval import ALLOW_LOSS, loss_of
from provisioner.reconcile.server_view import ServerView
from provisioner.rules.normalise import update_request
from provisioner.rules.server_limits import consumer_problems, surrounding_problems
from provisioner.rules.stream_config import create_problems
from provisioner.rules.work_queue import work_queue_problems
from provisioner.schema.model import OnDelete, ServerFacts, StreamConfig, StreamInfo, StreamSpec
from tests.support.configurations import MINUTE, NAME, changed, configurations, wire_config
from tests.support.nats_cluster import NatsCluster
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import RawClient, RequestError, raw_client
from tests.support.streams import delete

CONSUMERS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"ack_policy": "explicit"},
    {"ack_policy": "all", "inactive_threshold": 2 * MINUTE},
    {"ack_policy": "explicit", "max_ack_pending": 3},
    {"ack_policy": "none"},
)


@dataclass(frozen=True)
class Estate:
    """A server that holds two other streams, the program's client of it, and one of the tests' own."""

    server: NatsServer | NatsCluster = field(repr=False)
    client: JetStream = field(repr=False)
    raw: RawClient = field(repr=False)
    facts: ServerFacts = field(repr=False)


@contextmanager
def estate(folder: Path) -> Iterator[Estate]:
    """Start the server and make the two streams."""
    with running(folder) as server, closing(JetStream(server.url, Credentials())) as client:
        client.create({**wire_config(), "name": "ORIGIN", "subjects": ["origin.>"], "max_msg_size": 1000})
        client.create({**wire_config(), "name": "OTHER", "subjects": ["other.>"], "allow_direct": True})
        others = {name: info.config for name, info in client.streams().items()}
        with raw_client(server.url) as raw:
            yield Estate(server, client, raw, ServerFacts(others=others))


def creates() -> st.SearchStrategy[dict[str, Any]]:
    """Configurations as a line of the corpus has them."""
    return st.fixed_dictionaries({"config": configurations().map(to_request)})


def changes() -> st.SearchStrategy[dict[str, Any]]:
    """Pairs of configurations, whether the stream holds messages, and its consumer."""
    return configurations().flatmap(
        lambda old: st.fixed_dictionaries(
            {
                "old": st.just(to_request(old)),
                "new": changed(old).map(to_request),
                "messages": st.booleans(),
                "consumer": st.sampled_from(CONSUMERS),
            }
        )
    )


def is_possible(estate: Estate, example: dict[str, Any]) -> bool:
    """Whether the planner lets the old configuration of a change be created."""
    old = wire_config(**example["old"])
    return not create_problems(old) and not surrounding_problems(old, estate.facts)


def compare_create(estate: Estate, example: dict[str, Any]) -> None:
    """What the rules let through the server creates without a rewrite we do not know; all else it refuses."""
    config = wire_config(**example["config"])
    problems = [str(problem) for problem in (*create_problems(config), *surrounding_problems(config, estate.facts))]
    try:
        info = estate.client.create(config)
    except ApiError as error:
        assert problems, f"the planner has no problem with it, the server refuses it: {error}"
        return
    delete(estate.client, estate.server, NAME)
    assert [] == problems, "the server creates it, the planner refuses it"
    assert () == differences(info.config, config), "the server made something else of it"


def compare_update(estate: Estate, example: dict[str, Any]) -> None:
    """An update is accepted, a replacement refused as an update and accepted anew, an impossible one refused."""
    estate.client.create(wire_config(**example["old"]))
    try:
        _populate(estate, example)
        compare_live(estate, wire_config(**example["new"]))
    finally:
        delete(estate.client, estate.server, NAME)


def _populate(estate: Estate, example: dict[str, Any]) -> None:
    info = estate.client.stream(NAME)
    assert info
    if example["messages"] and not info.config["no_ack"] and "a.>" in info.config["subjects"]:
        for number in range(3):  # whether they are stored is the stream's business: it may be full or sealed
            estate.raw.request(f"a.{number}", b"payload")
    if example["consumer"]:
        try:
            estate.raw.add_consumer(NAME, "c", **example["consumer"])
        except RequestError:
            return  # a stream that takes no such consumer is compared without one


def compare_live(estate: Estate, desired: StreamConfig) -> None:
    """Compare the plan from the stream as it is now."""
    info = estate.client.stream(NAME)
    assert info
    planned = plan(info.config, desired)
    if planned.effect is Effect.NOTHING:
        return
    consumers = estate.client.consumers(NAME)
    around = surrounding_problems(desired, estate.facts, info.config)
    around += consumer_problems(info.config, desired, consumers)
    effect = Effect.IMPOSSIBLE if around else planned.effect
    # The one exception: an UPDATE of first_seq is accepted and has no effect, so it needs a new stream.
    without_effect = "first_seq" in [*planned.replaces, *planned.carries]
    if effect is Effect.CARRY and without_effect:
        _compare_carry(estate, info, desired, planned)
        return
    try:
        updated = estate.client.update(update_request(desired))
    except ApiError as error:
        assert effect > Effect.UPDATE, f"planned as {effect.name}, the server says: {error}"
        if effect is Effect.REPLACE:
            delete(estate.client, estate.server, NAME)
            assert () == differences(estate.client.create(desired).config, desired)
        if effect is Effect.CARRY:
            _compare_carry(estate, info, desired, planned)
    else:
        assert effect is Effect.UPDATE or without_effect, f"the server updates it, planned: {planned}, {around}"
        assert () == differences(updated.config, desired), "the server made something else of it"


def _compare_carry(estate: Estate, info: StreamInfo, desired: StreamConfig, planned: Plan) -> None:
    """The stream is carried over with all its messages but those that are forecast to go, and all its consumers."""
    context = Context(ServerView(estate.server.url, None, Credentials()))
    spec, before = StreamSpec(desired), estate.client.state(NAME)
    consumers = [each["name"] for each in estate.client.consumers(NAME)]
    problems = [*work_queue_problems(info.config, desired, estate.client.consumers(NAME))]
    lost = loss_of(context, spec, info, planned).messages
    context.run.on_read(NAME, OnDelete.GUARD, info.created)
    with closing(context.server), pytest.MonkeyPatch.context() as patch:
        patch.setenv(ALLOW_LOSS, NAME)
        try:
            carried = ensure(context, spec, info.created)
        except Conflict as conflict:
            assert problems, f"planned as CARRY, the server says: {conflict}"
            assert "the stream is as it was" in str(conflict)
            assert before["messages"] == estate.client.state(NAME)["messages"]
            return
    after = estate.client.state(NAME)
    assert [] == problems, "the server takes consumers that the planner says it does not"
    assert () == differences(carried.config, desired), "the server made something else of it"
    assert consumers == [each["name"] for each in estate.client.consumers(NAME)]
    assert lost.fewest <= before["messages"] - after["messages"] <= lost.most, f"{before}, {after}, {lost}"
    assert before["last_seq"] == after["last_seq"]
