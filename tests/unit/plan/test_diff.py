"""From one configuration to another: scenarios as data, one a line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from provisioner.plan.diff import Effect, differences, plan
from provisioner.schema.consumer_fields import CONSUMER_FIELDS
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamConfig
from provisioner.schema.types import Mutability
from tests.support.configurations import config, configurations

NOTHING, UPDATE, CARRY, REPLACE, IMPOSSIBLE = Effect

MIRROR = {"name": "ORIGIN"}

# actual, desired, effect, the fields that need a new stream
SCENARIOS: list[tuple[dict[str, Any], dict[str, Any], Effect, list[str]]] = [
    ({}, {}, NOTHING, []),
    ({"max_age": "7d"}, {"max_age": "1d"}, UPDATE, []),
    ({"max_age": "7d"}, {"max_age": "1d", "storage": "memory"}, CARRY, ["storage"]),
    ({}, {"persist_mode": "async"}, CARRY, ["persist_mode"]),
    ({}, {"allow_msg_counter": True}, REPLACE, ["allow_msg_counter"]),
    ({}, {"first_seq": 5}, REPLACE, ["first_seq"]),
    ({}, {"retention": "interest"}, UPDATE, []),
    ({"retention": "interest"}, {}, UPDATE, []),
    ({}, {"retention": "workqueue"}, CARRY, ["retention"]),
    ({"retention": "workqueue"}, {"retention": "interest"}, CARRY, ["retention"]),
    ({}, {"deny_delete": True, "deny_purge": True}, UPDATE, []),
    ({"deny_delete": True, "deny_purge": True}, {}, CARRY, ["deny_delete", "deny_purge"]),
    ({}, {"allow_msg_ttl": True}, UPDATE, []),
    ({"allow_msg_ttl": True}, {}, CARRY, ["allow_msg_ttl"]),
    ({}, {"allow_msg_schedules": True}, UPDATE, []),
    ({"allow_msg_schedules": True}, {"allow_rollup_hdrs": True}, CARRY, ["allow_msg_schedules"]),
    ({}, {"sealed": True}, UPDATE, []),
    ({"sealed": True}, {"deny_delete": True, "deny_purge": True, "discard": "new"}, CARRY, ["sealed"]),
    ({}, {"sealed": True, "storage": "memory"}, CARRY, ["storage"]),
    ({"allow_msg_counter": True}, {}, CARRY, ["allow_msg_counter"]),
    ({"first_seq": 5}, {}, CARRY, ["first_seq"]),
    ({"first_seq": 5}, {"first_seq": 6}, REPLACE, ["first_seq"]),
    ({"storage": "memory"}, {"first_seq": 6}, REPLACE, ["storage", "first_seq"]),
    ({}, {"storage": "memory", "max_age": "50ms"}, IMPOSSIBLE, ["storage"]),
    ({"allow_msg_counter": True}, {"allow_msg_counter": True, "sealed": True}, UPDATE, []),
    ({"allow_msg_schedules": True}, {"allow_msg_schedules": True, "sealed": True}, UPDATE, []),
    ({}, {"allow_rollup_hdrs": True, "deny_purge": True, "sealed": True}, UPDATE, []),
    ({"deny_purge": True}, {"allow_msg_schedules": True, "sealed": True}, IMPOSSIBLE, []),
    ({"sealed": True, "deny_purge": True}, {"sealed": True, "subject_delete_marker_ttl": "1s"}, IMPOSSIBLE, []),
    ({"sealed": True, "deny_purge": True}, {"sealed": True, "description": "new"}, UPDATE, []),
    (
        {"allow_msg_counter": True, "subject_delete_marker_ttl": "1s"},
        {"allow_msg_counter": True, "subject_delete_marker_ttl": "1s", "description": "new"},
        IMPOSSIBLE,
        [],
    ),
    ({}, {"mirror": MIRROR}, REPLACE, ["mirror"]),
    ({"mirror": MIRROR}, {"mirror": {"name": "OTHER"}}, REPLACE, ["mirror"]),
    ({"mirror": MIRROR}, {"subjects": ["orders"]}, UPDATE, []),
    ({}, {"max_age": "50ms"}, IMPOSSIBLE, []),
    ({}, {"discard_new_per_subject": True}, IMPOSSIBLE, []),
    ({}, {"allow_atomic": True, "allow_batched": True, "allow_direct": True, "allow_rollup_hdrs": True}, UPDATE, []),
    ({"allow_atomic": True, "allow_batched": True, "allow_direct": True, "allow_rollup_hdrs": True}, {}, UPDATE, []),
]


@pytest.mark.parametrize(("actual", "desired", "effect", "renewing"), SCENARIOS)
def test_scenario(actual: dict[str, Any], desired: dict[str, Any], effect: Effect, renewing: list[str]) -> None:
    """The heaviest effect decides; what needs a new stream is named."""
    planned = plan(config(**actual), config(**desired))
    assert (effect, renewing) == (planned.effect, [*planned.carries, *planned.replaces])


# What the server makes of the left side is the right side: neither is drift from the other.
REWRITES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"subjects": ["ORDERS"]}),
    ({}, {"duplicate_window": "2m"}),
    ({"max_age": "1m"}, {"max_age": "1m", "duplicate_window": "1m"}),
    ({"max_msgs": "unlimited", "max_bytes": 0}, {"max_msgs": -1, "max_bytes": -1}),
    ({"num_replicas": 0}, {"num_replicas": 1}),
    ({"placement": {"cluster": ""}, "consumer_limits": {}}, {}),
    ({"republish": {"src": "", "dest": "out.>"}}, {"republish": {"src": ">", "dest": "out.>"}}),
    ({"metadata": {"_nats.ver": "2.15.1", "_nats.level": "5"}}, {}),
    (
        {"subject_delete_marker_ttl": "1m"},
        {"subject_delete_marker_ttl": "1m", "allow_msg_ttl": True, "allow_rollup_hdrs": True},
    ),
    ({"allow_msg_schedules": True}, {"allow_msg_schedules": True, "allow_rollup_hdrs": True}),
    ({"mirror": MIRROR}, {"mirror": MIRROR, "mirror_direct": True}),
    (
        {"sealed": True, "max_age": "7d"},
        {"sealed": True, "discard": "new", "deny_delete": True, "deny_purge": True},
    ),
]


@pytest.mark.parametrize(("wanted", "answered"), REWRITES)
def test_a_rewrite_by_the_server_is_no_drift(wanted: dict[str, Any], answered: dict[str, Any]) -> None:
    """Defaults and silent rewrites apply to both sides."""
    assert () == differences(config(**answered), config(**wanted))


def test_a_change_reads_with_both_values() -> None:
    """Canonical text on both sides; a block that is not there is none."""
    changes = differences(config(max_age="7d", republish={"dest": "out"}), config(max_age="36h", no_ack=True))
    shown = ["max_age 7d -> 1d12h", 'republish {"dest": "out"} -> none', "no_ack false -> true"]
    assert shown == [str(change) for change in changes]


def test_reordered_subjects_are_a_change() -> None:
    """The server compares them in order: a service's create with the old order would fail."""
    assert ["subjects"] == [c.field for c in differences(config(subjects=["b", "a"]), config(subjects=["a", "b"]))]


@given(one=configurations(), other=configurations())
def test_a_plan_names_just_what_differs(one: StreamConfig, other: StreamConfig) -> None:
    """No change from a thing to itself; and the way back names the same fields as the way there."""
    assert NOTHING is plan(one, one).effect
    back = {change.field for change in differences(other, one)} - {"mirror_direct"}
    assert back == {change.field for change in differences(one, other)} - {"mirror_direct"}


def test_every_kind_of_mutability_is_used() -> None:
    """A rule nobody has is a rule to remove."""
    assert set(Mutability) == {field.change for field in (*FIELDS, *CONSUMER_FIELDS)}
