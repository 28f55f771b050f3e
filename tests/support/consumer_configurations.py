"""Consumer configurations for tests: written short, or generated over every field."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from provisioner.jetstream.consumers import from_config
from provisioner.schema.consumer_fields import CONSUMER_FIELDS, consumer_value, read_consumer
from provisioner.schema.consumer_model import ConsumerConfig
from provisioner.schema.scalars import Flag
from provisioner.schema.types import FieldPath, Wire
from provisioner.units import parse_duration

NAME = "generated"
SECOND, MINUTE = parse_duration("1s"), parse_duration("1m")


def consumer(name: str = "worker", **fields: Any) -> ConsumerConfig:
    """A whole configuration from the few fields a test is about, written as in a catalogue."""
    return read_consumer({"durable_name": name, **fields}, _fail)


def wire_consumer(**fields: Any) -> ConsumerConfig:
    """The same from wire values, which may be ones that no catalogue lets through."""
    return from_config({"durable_name": NAME, "ack_policy": "explicit", **fields}, strict=True)


def _fail(at: FieldPath, what: str) -> None:
    raise AssertionError(f"{at} {what}")


_FILTERS = ("a.x", "a.*", "a.>", "b", "*.x", ">", "x..y", "a.>.b", "a.*.>", "c", "$JS.x", "a b")
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "description": st.sampled_from(["", "hello", "x" * 4097, "é" * 2048]),
    "deliver_policy": st.sampled_from(["all", "all", "last", "new", "by_start_sequence", "by_start_time"])
    | st.just("last_per_subject"),
    "opt_start_seq": st.sampled_from([0, 1, 5, 2**63]),
    "opt_start_time": st.sampled_from([None, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00.5Z", "2099-01-01T00:00:00Z"]),
    "ack_policy": st.sampled_from(["none", "all", "explicit", "explicit", "flow_control"]),
    "ack_wait": st.sampled_from([0, 1, SECOND, MINUTE, 2**62]),
    "max_deliver": st.sampled_from([-1, 0, 1, 2, 5]),
    "backoff": st.sampled_from([[], [SECOND], [SECOND, MINUTE, MINUTE], [MINUTE, SECOND], [0]]),
    "filter_subject": st.sampled_from(["", *_FILTERS]),
    "filter_subjects": st.lists(st.sampled_from(_FILTERS), max_size=2, unique=True),
    "replay_policy": st.sampled_from(["instant", "original"]),
    "rate_limit_bps": st.sampled_from([0, 1000, 10**9]),
    "sample_freq": st.sampled_from(["", "50", "100%", "150%", "many", "-1", "1.5", "0%", "100 %", "%"]),
    "max_waiting": st.sampled_from([0, 1, 512, 1000, 2**31 - 1]),
    "max_ack_pending": st.sampled_from([-1, 0, 1, 500, 501, 1000, 5000]),
    "max_batch": st.sampled_from([0, 1, 100]),
    "max_expires": st.sampled_from([0, 1000, 999_999, SECOND]),
    "max_bytes": st.sampled_from([0, 1024]),
    "deliver_subject": st.sampled_from(["", "d", "d.e", "d.*", "a.x", "d..e", "c.a.x", "$JS.x", "d e"]),
    "deliver_group": st.sampled_from(["", "g", "g.h", "g h"]),
    "idle_heartbeat": st.sampled_from([0, SECOND // 20, SECOND // 10, SECOND, MINUTE]),
    "inactive_threshold": st.sampled_from([0, MINUTE, 10 * MINUTE]),
    "num_replicas": st.sampled_from([0, 1, 1, 2, 3]),
    "pause_until": st.sampled_from([None, "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]),
    "priority_groups": st.sampled_from([[], ["g"], ["g", "h"], ["g", "g"], ["G-1_/="], [""], ["not good"], ["x" * 17]]),
    "priority_policy": st.sampled_from(["none", "overflow", "pinned_client", "prioritized"]),
    "priority_timeout": st.sampled_from([0, SECOND, MINUTE]),
    "metadata": st.sampled_from([{}, {"a": "b"}, {"a": "c", "d": "e"}, {"k": "v" * 140_000}]),
}
_FLAGS = {field.name: st.booleans() for field in CONSUMER_FIELDS if isinstance(field.type, Flag)}
VALUES = _VALUES | _FLAGS
# Fields that are only taken together; each is drawn as often as one field is.
_TOGETHER: tuple[dict[str, Any], ...] = (
    {"deliver_subject": "d"},
    {"deliver_subject": "d.e", "idle_heartbeat": SECOND, "flow_control": True},
    {"deliver_subject": "d", "ack_policy": "flow_control"},
    {"deliver_policy": "by_start_sequence", "opt_start_seq": 2},
    {"deliver_policy": "by_start_time", "opt_start_time": "2026-01-01T00:00:00Z"},
    {"deliver_policy": "last_per_subject", "filter_subject": "a.>"},
    {"priority_policy": "overflow", "priority_groups": ["g"]},
    {"priority_policy": "pinned_client", "priority_groups": ["g"]},
    {},
)


def some_fields(fewest: int, most: int) -> st.SearchStrategy[dict[str, Wire]]:
    """Values for a few fields, drawn from all of them."""
    names = st.lists(st.sampled_from(sorted(VALUES)), min_size=fewest, max_size=most, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: VALUES[name] for name in chosen}))


@st.composite
def consumer_configurations(draw: st.DrawFn) -> ConsumerConfig:
    """A configuration with a few fields set; many are ones the server refuses."""
    return wire_consumer(**{**draw(st.sampled_from(_TOGETHER)), **draw(some_fields(0, 3))})


@st.composite
def changed_consumer(draw: st.DrawFn, old: ConsumerConfig) -> ConsumerConfig:
    """The configuration with one to three fields set to something else, or other ones together."""
    base = {field.name: consumer_value(old, field.name) for field in CONSUMER_FIELDS}
    together = draw(st.sampled_from([{}, {}, *_TOGETHER]))
    return wire_consumer(**{**base, **together, **draw(some_fields(0 if together else 1, 3))})
