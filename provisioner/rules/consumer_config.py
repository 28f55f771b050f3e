"""Whether the server would take a consumer's configuration on its stream: its rules, one row each.

Follows nats-server's checkConsumerCfg (server/consumer.go); the integration tests compare every row
with a real server's answer. Each rule sees the configuration as the server fills it in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

from provisioner.rules import subjects
from provisioner.rules.consumer_normalise import normalise_consumer
from provisioner.rules.normalise import captured
from provisioner.rules.problem import Problem
from provisioner.rules.stream_names import is_asset_name
from provisioner.schema.consumer_model import ConsumerConfig, subject_filters
from provisioner.schema.model import StreamConfig
from provisioner.units import parse_duration

_MAX_NAME_BYTES: Final = 255
_MAX_DESCRIPTION_BYTES: Final = 4 * 1024
_MAX_METADATA_BYTES: Final = 128 * 1024
_MIN_HEARTBEAT_NS: Final = parse_duration("100ms")
_MIN_EXPIRES_NS: Final = parse_duration("1ms")
_GROUP: Final = re.compile(r"[a-zA-Z0-9/_=-]{1,16}")
_SAMPLE: Final = re.compile(r"\+?\d{1,18}%?")


@dataclass(frozen=True)
class ConsumerRule:
    """The server refuses every consumer for which ``broken`` is true.

    Attributes:
        field: the field it is about.
        what: what is wrong with it.
        broken: the verdict, by the consumer and its stream.
        needs: the other fields of the consumer that the verdict turns on.
    """

    field: str
    what: str
    broken: Callable[[ConsumerConfig, StreamConfig], object]
    needs: tuple[str, ...] = ()


def consumer_problems(config: ConsumerConfig, stream: StreamConfig) -> list[Problem]:
    """Every rule that this configuration breaks on this stream, by itself."""
    filled = normalise_consumer(config, stream)
    checks = (_filter_problems(config), _group_problems(config))
    return [*_broken(config, CLEAR_RULES, stream), *_broken(filled, RULES, stream), *chain.from_iterable(checks)]


def _broken(config: ConsumerConfig, rules: Iterable[ConsumerRule], stream: StreamConfig) -> Iterator[Problem]:
    return (
        Problem((rule.field,), rule.what, tuple((need,) for need in rule.needs))
        for rule in rules
        if rule.broken(config, stream)
    )


def _is_push(config: ConsumerConfig) -> bool:
    return bool(config["deliver_subject"])


def _is_over(name: Literal["max_ack_pending", "inactive_threshold"]) -> Callable[[ConsumerConfig, StreamConfig], bool]:
    def over(config: ConsumerConfig, stream: StreamConfig) -> bool:
        limits = stream["consumer_limits"]
        return limits is not None and 0 < limits[name] < config[name]

    return over


def _metadata_size(config: ConsumerConfig) -> int:
    return sum(len(key.encode()) + len(text.encode()) for key, text in config["metadata"].items())


def _is_shared(stream: StreamConfig) -> bool:
    """Whether the stream's messages go once its consumers have them."""
    return stream["retention"] != "limits"


def _starts_by(policy: str, config: ConsumerConfig) -> bool:
    return config["deliver_policy"] == policy


def _forms_cycle(config: ConsumerConfig, stream: StreamConfig) -> bool:
    return _is_push(config) and any(subjects.contains(own, config["deliver_subject"]) for own in captured(stream))


def _filter_problems(config: ConsumerConfig) -> Iterator[Problem]:
    for at, subject in enumerate(config["filter_subjects"]):
        if not subject or not subjects.is_valid(subject):
            yield Problem(("filter_subjects", at), f"{subject!r} is not a subject")
    if config["filter_subject"] and not subjects.is_valid(config["filter_subject"]):
        yield Problem(("filter_subject",), f"{config['filter_subject']!r} is not a subject")
    listed = config["filter_subjects"]
    for at, subject in enumerate(listed):
        if others := [other for where, other in enumerate(listed) if where != at and subjects.contains(other, subject)]:
            yield Problem(("filter_subjects", at), f"{subject!r} is in {others[0]!r} already")


def _group_problems(config: ConsumerConfig) -> Iterator[Problem]:
    if config["priority_policy"] == "none":
        return
    for at, group in enumerate(config["priority_groups"]):
        if not _GROUP.fullmatch(group):
            yield Problem(("priority_groups", at), f"{group!r} is not 1 to 16 letters, digits, '/', '_', '=' or '-'")


# About what is written, before the server has filled anything in.
CLEAR_RULES: Final = (
    ConsumerRule(
        "filter_subjects",
        "excludes filter_subject; write all of them here",
        lambda c, _s: c["filter_subject"] and c["filter_subjects"],
        ("filter_subject",),
    ),
)

RULES: Final = (
    ConsumerRule(
        "durable_name",
        "must not be empty or hold spaces, '.', '*', '>', '/' or '\\'",
        lambda c, _s: not is_asset_name(c["durable_name"]),
    ),
    ConsumerRule(
        "durable_name",
        "is longer than 255 bytes",
        lambda c, _s: len(c["durable_name"].encode()) > _MAX_NAME_BYTES,
    ),
    ConsumerRule(
        "description",
        "is longer than 4096 bytes",
        lambda c, _s: len(c["description"].encode()) > _MAX_DESCRIPTION_BYTES,
    ),
    ConsumerRule("metadata", "is larger than 128 KiB", lambda c, _s: _metadata_size(c) > _MAX_METADATA_BYTES),
    ConsumerRule(
        "num_replicas", "is more than the stream's", lambda c, s: c["num_replicas"] > max(s["num_replicas"], 1)
    ),
    ConsumerRule(
        "num_replicas",
        "must be the stream's, or left out, as its retention is not limits",
        lambda c, s: _is_shared(s) and c["num_replicas"] not in (0, max(s["num_replicas"], 1)),
    ),
    ConsumerRule(
        "max_deliver",
        "must not be less than the waits in backoff",
        lambda c, _s: c["max_deliver"] != -1 and len(c["backoff"]) > c["max_deliver"],
        ("backoff",),
    ),
    ConsumerRule(
        "ack_policy",
        "flow_control needs deliver_subject",
        lambda c, _s: c["ack_policy"] == "flow_control" and not _is_push(c),
        ("deliver_subject",),
    ),
    ConsumerRule(
        "max_ack_pending",
        "must not be unlimited with ack_policy flow_control",
        lambda c, _s: c["ack_policy"] == "flow_control" and _is_push(c) and c["max_ack_pending"] <= 0,
        ("ack_policy", "deliver_subject"),
    ),
    ConsumerRule(
        "ack_wait",
        "excludes ack_policy flow_control, and so does backoff",
        lambda c, _s: c["ack_policy"] == "flow_control" and _is_push(c) and (c["ack_wait"] or c["backoff"]),
        ("ack_policy", "deliver_subject", "backoff"),
    ),
    ConsumerRule(
        "max_deliver",
        "excludes ack_policy flow_control",
        lambda c, _s: c["ack_policy"] == "flow_control" and _is_push(c) and c["max_deliver"] > 0,
        ("ack_policy", "deliver_subject"),
    ),
    ConsumerRule(
        "deliver_subject",
        "must be a subject without wildcards",
        lambda c, _s: (
            _is_push(c) and not (subjects.is_literal(c["deliver_subject"]) and subjects.is_valid(c["deliver_subject"]))
        ),
    ),
    ConsumerRule("deliver_subject", "is captured by the stream itself", _forms_cycle),
    ConsumerRule(
        "max_waiting",
        "is for pull consumers, without deliver_subject",
        lambda c, _s: _is_push(c) and c["max_waiting"],
        ("deliver_subject",),
    ),
    ConsumerRule(
        "max_ack_pending",
        "excludes ack_policy none on a push consumer",
        lambda c, _s: _is_push(c) and c["max_ack_pending"] > 0 and c["ack_policy"] == "none",
        ("ack_policy", "deliver_subject"),
    ),
    ConsumerRule(
        "idle_heartbeat",
        "must be at least 100ms",
        lambda c, _s: _is_push(c) and 0 < c["idle_heartbeat"] < _MIN_HEARTBEAT_NS,
        ("deliver_subject",),
    ),
    ConsumerRule(
        "rate_limit_bps",
        "is for push consumers, with deliver_subject",
        lambda c, _s: not _is_push(c) and c["rate_limit_bps"],
        ("deliver_subject",),
    ),
    ConsumerRule(
        "idle_heartbeat",
        "is for push consumers, with deliver_subject",
        lambda c, _s: not _is_push(c) and c["idle_heartbeat"],
        ("deliver_subject",),
    ),
    ConsumerRule(
        "flow_control",
        "is for push consumers, with deliver_subject",
        lambda c, _s: not _is_push(c) and c["flow_control"],
        ("deliver_subject",),
    ),
    ConsumerRule(
        "max_expires",
        "must be at least 1ms",
        lambda c, _s: not _is_push(c) and 0 < c["max_expires"] < _MIN_EXPIRES_NS,
        ("deliver_subject",),
    ),
    ConsumerRule("max_ack_pending", "is over the stream's consumer_limits", _is_over("max_ack_pending")),
    ConsumerRule("inactive_threshold", "is over the stream's consumer_limits", _is_over("inactive_threshold")),
    ConsumerRule(
        "opt_start_seq",
        "goes with deliver_policy by_start_sequence, and only with that",
        lambda c, _s: _starts_by("by_start_sequence", c) != bool(c["opt_start_seq"]),
        ("deliver_policy",),
    ),
    ConsumerRule(
        "opt_start_time",
        "goes with deliver_policy by_start_time, and only with that",
        lambda c, _s: _starts_by("by_start_time", c) != bool(c["opt_start_time"]),
        ("deliver_policy",),
    ),
    ConsumerRule(
        "deliver_policy",
        "last_per_subject needs filter_subject or filter_subjects; '>' is every subject",
        lambda c, _s: _starts_by("last_per_subject", c) and not subject_filters(c),
        ("filter_subject", "filter_subjects"),
    ),
    ConsumerRule(
        "sample_freq",
        "is not a whole percentage such as 100%",
        lambda c, _s: c["sample_freq"] and not _SAMPLE.fullmatch(c["sample_freq"]),
    ),
    ConsumerRule(
        "flow_control",
        "needs idle_heartbeat",
        lambda c, _s: c["flow_control"] and not c["idle_heartbeat"],
        ("idle_heartbeat",),
    ),
    ConsumerRule(
        "priority_policy",
        "is for pull consumers, without deliver_subject",
        lambda c, _s: c["priority_policy"] != "none" and _is_push(c),
        ("deliver_subject",),
    ),
    ConsumerRule(
        "priority_policy",
        "needs priority_groups",
        lambda c, _s: c["priority_policy"] != "none" and not _is_push(c) and not c["priority_groups"],
        ("priority_groups", "deliver_subject"),
    ),
    ConsumerRule(
        "priority_groups",
        "needs priority_policy",
        lambda c, _s: c["priority_policy"] == "none" and c["priority_groups"],
        ("priority_policy",),
    ),
    ConsumerRule(
        "priority_timeout",
        "needs priority_policy",
        lambda c, _s: c["priority_policy"] == "none" and c["priority_timeout"],
        ("priority_policy",),
    ),
    ConsumerRule(
        "ack_policy",
        "must be explicit or flow_control on a work queue",
        lambda c, s: s["retention"] == "workqueue" and c["ack_policy"] not in ("explicit", "flow_control"),
    ),
    ConsumerRule(
        "deliver_policy",
        "must be all on a work queue",
        lambda c, s: s["retention"] == "workqueue" and c["deliver_policy"] != "all",
    ),
)
