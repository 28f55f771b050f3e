"""What a work queue asks of its consumers: it takes the consumers of another stream along only where these hold.

Source: nats-server's checks of a new consumer on a stream with workqueue retention (server/consumer.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from provisioner.rules.problem import Problem
from provisioner.rules.subjects import overlap
from provisioner.schema.model import StreamConfig
from provisioner.schema.types import FieldPath

_PATH: FieldPath = ("retention",)


def work_queue_problems(
    actual: StreamConfig, desired: StreamConfig, consumers: Sequence[Mapping[str, Any]]
) -> list[Problem]:
    """Why the consumers of a stream could not follow it into a work queue."""
    if desired["retention"] != "workqueue" or actual["retention"] == "workqueue":
        return []
    return [Problem(_PATH, f"workqueue: {what}") for what in (*_single(consumers), *_pairs(consumers))]


def filters(consumer: Mapping[str, Any]) -> list[str]:
    """The subjects a consumer takes; all where it has no filter."""
    return consumer.get("filter_subjects") or [consumer.get("filter_subject") or ">"]


def _single(consumers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for consumer in consumers:
        if consumer.get("ack_policy") != "explicit":
            yield f"consumer {consumer['name']} has ack_policy {consumer.get('ack_policy')}, not explicit"
        if consumer.get("deliver_policy", "all") != "all":
            yield f"consumer {consumer['name']} has deliver_policy {consumer['deliver_policy']}, not all"


def _pairs(consumers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one, other in combinations(consumers, 2):
        if any(overlap(a, b) for a in filters(one) for b in filters(other)):
            yield f"consumers {one['name']} and {other['name']} take the same subjects"
