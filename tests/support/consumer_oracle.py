"""The planner's verdict on a consumer, compared with what a real server does."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from provisioner.errors import ApiError
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.plan.consumer_diff import ConsumerPlan, plan_consumer
from provisioner.plan.diff import Effect
from provisioner.rules.consumer_config import consumer_problems
from provisioner.rules.consumer_estate import beside_problems
from provisioner.schema.consumer_model import ConsumerConfig, ConsumerInfo
from provisioner.schema.model import StreamConfig
from tests.support.configurations import MINUTE, wire_config
from tests.support.consumer_configurations import NAME, changed_consumer, consumer_configurations, wire_consumer
from tests.support.planner_oracle import Estate

STREAM = "CONSUMED"
STREAMS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"retention": "interest"},
    {"retention": "workqueue"},
    {"consumer_limits": {"max_ack_pending": 500, "inactive_threshold": 5 * MINUTE}},
    {"max_consumers": 1},
)
OTHERS: tuple[dict[str, Any] | None, ...] = (None, None, {"filter_subject": "a.x"}, {})
MESSAGES = ("a.x", "a.y", "b", "a.x", "a.z")


def creates() -> st.SearchStrategy[dict[str, Any]]:
    """Configurations as a line of the corpus has them, with their stream and another consumer."""
    return st.fixed_dictionaries({**_SURROUNDINGS, "config": consumer_configurations().map(consumers.to_request)})


def changes() -> st.SearchStrategy[dict[str, Any]]:
    """Pairs of configurations, with their stream, another consumer, and how many messages are acknowledged."""
    return consumer_configurations().flatmap(
        lambda old: st.fixed_dictionaries(
            {
                **_SURROUNDINGS,
                "old": st.just(consumers.to_request(old)),
                "new": changed_consumer(old).map(consumers.to_request),
                "acknowledged": st.integers(0, 3),
            }
        )
    )


_SURROUNDINGS = {"stream": st.sampled_from(STREAMS), "other": st.sampled_from(OTHERS)}


def compare_create(site: Estate, example: dict[str, Any]) -> None:
    """What the rules let through the server creates without a rewrite we do not know; all else it refuses."""
    stream, others = _surroundings(site, example)
    try:
        _compare_new(site, stream, others, wire_consumer(**example["config"]))
    finally:
        site.client.delete(STREAM)


def compare_update(site: Estate, example: dict[str, Any]) -> None:
    """An update is accepted, a replacement refused as an update and accepted anew, an impossible one refused."""
    stream, others = _surroundings(site, example)
    try:
        old = _send(site.client, wire_consumer(**example["old"]), "create")
    except ApiError:
        site.client.delete(STREAM)
        return
    try:
        _acknowledge(site, old, example["acknowledged"])
        _compare_change(site, stream, others, wire_consumer(**example["new"]))
    finally:
        site.client.delete(STREAM)


def _surroundings(site: Estate, example: dict[str, Any]) -> tuple[StreamConfig, list[ConsumerConfig]]:
    stream = {**wire_config(**example["stream"]), "name": STREAM, "subjects": ["a.>", "b"]}
    info = site.client.create(stream)  # type: ignore[arg-type]
    others = []
    if example["other"] is not None:
        other = {**wire_consumer(**example["other"]), "durable_name": "other"}
        others.append(_send(site.client, other, "create").config)  # type: ignore[arg-type]
    return info.config, others


def _compare_new(
    site: Estate, stream: StreamConfig, others: list[ConsumerConfig], config: ConsumerConfig
) -> ConsumerInfo | None:
    problems = [*consumer_problems(config, stream), *beside_problems(config, stream, others, is_new=True)]
    try:
        info = _send(site.client, config, "create")
    except ApiError as error:
        assert problems, f"the planner has no problem with it, the server refuses it: {error}"
        return None
    assert [] == list(map(str, problems)), "the server creates it, the planner refuses it"
    assert () == plan_consumer(info.config, config, stream).changes, "the server made something else of it"
    return info


def _compare_change(site: Estate, stream: StreamConfig, others: list[ConsumerConfig], desired: ConsumerConfig) -> None:
    before = consumers.consumer(site.client, STREAM, NAME)
    assert before
    planned = plan_consumer(before.config, desired, stream)
    if planned.effect is Effect.NOTHING:
        return
    around = beside_problems(desired, stream, others, is_new=False)
    effect = Effect.IMPOSSIBLE if around else planned.effect
    try:
        updated = _send(site.client, desired, "update")
    except ApiError as error:
        assert effect > Effect.UPDATE, f"planned as {effect.name}, the server says: {error}"
        if effect is not Effect.IMPOSSIBLE:
            _compare_anew(site, stream, others, desired, planned, before)
        return
    assert effect is Effect.UPDATE, f"the server updates it, planned: {planned}, {around}"
    assert () == plan_consumer(updated.config, desired, stream).changes, "the server made something else of it"
    assert before.acknowledged == updated.acknowledged, "an update has moved the ack floor"


def _compare_anew(
    site: Estate,
    stream: StreamConfig,
    others: list[ConsumerConfig],
    desired: ConsumerConfig,
    planned: ConsumerPlan,
    before: ConsumerInfo,
) -> None:
    consumers.remove(site.client, STREAM, NAME)
    if _compare_new(site, stream, others, desired) and planned.effect is Effect.CARRY:
        # An interest stream has just deleted what nobody waited for any more.
        position = max(before.acknowledged + 1, desired["opt_start_seq"], site.client.state(STREAM)["first_seq"])
        assert position == consumers.reset(site.client, STREAM, NAME, position).acknowledged + 1


def _acknowledge(site: Estate, info: ConsumerInfo, count: int) -> None:
    """Publish, and let a pull consumer acknowledge the first so many messages that it gets."""
    for subject in MESSAGES:
        site.raw.request(subject, b"payload")
    config = info.config
    waits = config["deliver_subject"] or config["pause_until"] or config["priority_groups"]
    if not waits and config["ack_policy"] == "explicit":
        site.raw.consume(STREAM, NAME, count)


def _send(client: JetStream, config: ConsumerConfig, action: str) -> ConsumerInfo:
    """As the program does, but for a subject that some of these filters could not be part of."""
    body = {"stream_name": STREAM, "config": consumers.to_request(config), "action": action}
    info = consumers.from_info(client.request(f"CONSUMER.CREATE.{STREAM}.{config['durable_name']}", body))
    if info.config["pause_until"] == config["pause_until"]:
        return info
    return consumers.pause(client, info, config["pause_until"])
