"""What the server refuses of a consumer because of the others on its stream, or the server's age."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioner.rules.problem import Problem
from provisioner.rules.subjects import overlap
from provisioner.schema.consumer_fields import CONSUMER_FIELDS, consumer_value
from provisioner.schema.consumer_model import ConsumerConfig, subject_filters
from provisioner.schema.model import ServerFacts, StreamConfig

_FLOW_CONTROL_SINCE = (2, 14)


def beside_problems(
    config: ConsumerConfig, stream: StreamConfig, others: Sequence[ConsumerConfig], *, is_new: bool
) -> list[Problem]:
    """What is wrong between a consumer and the others of its stream."""
    return [*_queue_problems(config, stream, others, is_new=is_new), *_number_problems(stream, others, is_new=is_new)]


def _queue_problems(
    config: ConsumerConfig, stream: StreamConfig, others: Sequence[ConsumerConfig], *, is_new: bool
) -> Iterator[Problem]:
    """Each message of a work queue is for one consumer; an update to no filter at all is let through."""
    own = subject_filters(config)
    if stream["retention"] != "workqueue" or not (own or is_new):
        return
    for other in others:
        theirs = subject_filters(other)
        if any(overlap(one, two) for one in own or [">"] for two in theirs or [">"]):
            where = ("filter_subjects",) if len(own) > 1 else ("filter_subject",)
            yield Problem(where, f"takes the same subjects of a work queue as {other['durable_name']}")


def _number_problems(stream: StreamConfig, others: Sequence[ConsumerConfig], *, is_new: bool) -> Iterator[Problem]:
    if is_new and 0 < stream["max_consumers"] <= len(others):
        yield Problem(("durable_name",), f"is one more than the stream's max_consumers of {stream['max_consumers']}")


def age_problems(config: ConsumerConfig, facts: ServerFacts) -> Iterator[Problem]:
    """Fields that the server is too old for, where it is known."""
    if facts.version is None:
        return
    actual = ".".join(map(str, facts.version))
    for field in CONSUMER_FIELDS:
        since = field.since
        if field.name == "ack_policy" and config["ack_policy"] == "flow_control":
            since = _FLOW_CONTROL_SINCE
        if since > facts.version[:2] and consumer_value(config, field.name) != field.default:
            yield Problem((field.name,), f"needs nats-server {'.'.join(map(str, since))}; this one is {actual}")
