"""Blocks and choices. Written by ``make docs`` from the tables in ``provisioner/schema``: edit those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict

from pulumi import Input

Limit = int | Literal["unlimited"]
OnDelete = Literal["guard", "delete", "retain"]
Adopt = Literal["equal", "always", "never"]
Retention = Literal["limits", "interest", "workqueue"]
Storage = Literal["file", "memory"]
Discard = Literal["old", "new"]
Compression = Literal["none", "s2"]
PersistMode = Literal["default", "async"]
DeliverPolicy = Literal["all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"]
AckPolicy = Literal["none", "all", "explicit", "flow_control"]
ReplayPolicy = Literal["instant", "original"]
PriorityPolicy = Literal["none", "overflow", "pinned_client", "prioritized"]


class SubjectTransform(TypedDict, total=False):
    """A mapping of subjects.

    Attributes:
        src: Subject the transform applies to; empty for all.
        dest: Subject it becomes.
    """

    src: Input[str]
    dest: Input[str]


class External(TypedDict, total=False):
    """Where the stream of a source is, when not in this account.

    Attributes:
        api: Prefix of the other account's or domain's JetStream API.
        deliver: Prefix of the subjects it delivers to.
    """

    api: Input[str]
    deliver: Input[str]


class SourceConsumer(TypedDict, total=False):
    """The consumer that a source reads through, made beforehand.

    Attributes:
        name: Durable consumer to source through.
        deliver_subject: Subject it delivers to.
    """

    name: Input[str]
    deliver_subject: Input[str]


class Source(TypedDict, total=False):
    """Where a mirror or a source takes its messages from.

    Attributes:
        name: Stream the messages come from.
        opt_start_seq: First sequence to take.
        opt_start_time: Take messages from this time on.
        filter_subject: Take only messages on these subjects.
        subject_transforms: Filters, each with a new subject.
        external: Where the stream is, when not in this account.
        consumer: Consumer made beforehand.
    """

    name: Required[Input[str]]
    opt_start_seq: Input[int]
    opt_start_time: Input[str]
    filter_subject: Input[str]
    subject_transforms: Input[Sequence[Input[SubjectTransform]]]
    external: Input[External]
    consumer: Input[SourceConsumer]


class Republish(TypedDict, total=False):
    """Where each stored message is published again.

    Attributes:
        src: Subjects to republish.
        dest: Subject to republish to.
        headers_only: Republish without the payload.
    """

    src: Input[str]
    dest: Required[Input[str]]
    headers_only: Input[bool]


class Placement(TypedDict, total=False):
    """Which servers hold a stream.

    Attributes:
        cluster: Cluster to place the stream in.
        tags: Tags a server must have.
        preferred: Preferred leader; the server refuses it for streams.
    """

    cluster: Input[str]
    tags: Input[Sequence[Input[str]]]
    preferred: Input[str]


class ConsumerLimits(TypedDict, total=False):
    """Limits and defaults for a stream's consumers.

    Attributes:
        inactive_threshold: Longest inactive_threshold of a consumer.
        max_ack_pending: Largest max_ack_pending of a consumer.
    """

    inactive_threshold: Input[str]
    max_ack_pending: Input[int]
