"""Every field of JetStream's StreamConfig (nats-server 2.15), one row each.

Names are the wire names of the server's API. A field that gains a rule gains it here, in its
``change`` column, and in no branch elsewhere.
"""

from __future__ import annotations

from typing import Final

from provisioner.schema.model import Adopt, OnDelete
from provisioner.schema.scalars import (
    INT32,
    UINT64,
    Choice,
    Count,
    Duration,
    Flag,
    Labels,
    Member,
    Size,
    Text,
    Timestamp,
)
from provisioner.schema.types import Carry, Field, ListOf, Mutability, Record
from provisioner.schema.watch import STREAM_WATCH

TRANSFORM: Final = Record(
    (
        Field("src", Text(), "", "Subject the transform applies to; empty for all."),
        Field("dest", Text(), "", "Subject it becomes."),
    )
)

_EXTERNAL: Final = Record(
    (
        Field("api", Text(), "", "Prefix of the other account's or domain's JetStream API."),
        Field("deliver", Text(), "", "Prefix of the subjects it delivers to."),
    )
)

_SOURCE_CONSUMER: Final = Record(
    (
        Field("name", Text(), "", "Durable consumer to source through."),
        Field("deliver_subject", Text(), "", "Subject it delivers to."),
    )
)

SOURCE: Final = Record(
    (
        Field("name", Text(), "", "Stream the messages come from."),
        Field("opt_start_seq", Count(UINT64), 0, "First sequence to take."),
        Field("opt_start_time", Timestamp(), None, "Take messages from this time on."),
        Field("filter_subject", Text(), "", "Take only messages on these subjects."),
        Field("subject_transforms", ListOf(TRANSFORM), [], "Filters, each with a new subject."),
        Field("external", _EXTERNAL, None, "Where the stream is, when not in this account."),
        Field("consumer", _SOURCE_CONSUMER, None, "Consumer made beforehand.", since=(2, 14)),
    ),
    required=("name",),
)

_REPUBLISH: Final = Record(
    (
        Field("src", Text(), ">", "Subjects to republish."),
        Field("dest", Text(), "", "Subject to republish to."),
        Field("headers_only", Flag(), default=False, doc="Republish without the payload."),
    ),
    required=("dest",),
)

_PLACEMENT: Final = Record(
    (
        Field("cluster", Text(), "", "Cluster to place the stream in."),
        Field("tags", ListOf(Text()), [], "Tags a server must have."),
        Field("preferred", Text(), "", "Preferred leader; the server refuses it for streams."),
    )
)

_CONSUMER_LIMITS: Final = Record(
    (
        Field("inactive_threshold", Duration(), 0, "Longest inactive_threshold of a consumer."),
        Field("max_ack_pending", Count(INT32), 0, "Largest max_ack_pending of a consumer."),
    )
)

FREE, FIXED, RISES = Mutability.FREE, Mutability.FIXED, Mutability.RISES

FIELDS: Final = (
    Field("name", Text(), "", "Name of the stream.", FIXED, carry=Carry.NONE),
    Field("description", Text(), "", "Text on the server; a service that creates the stream must send it too."),
    Field("subjects", ListOf(Text()), [], "Subjects the stream captures; its name if none."),
    Field(
        "retention",
        Choice(("limits", "interest", "workqueue")),
        "limits",
        "What keeps a message.",
        Mutability.NOT_QUEUE,
    ),
    Field("storage", Choice(("file", "memory")), "file", "Where messages are stored.", FIXED),
    Field("max_age", Duration(limit=True), 0, "Age at which messages are removed."),
    Field("max_bytes", Size(), -1, "Most bytes stored."),
    Field("max_msgs", Count(limit=True), -1, "Most messages stored."),
    Field("max_msgs_per_subject", Count(limit=True), -1, "Most messages stored on each subject."),
    Field("max_msg_size", Size(INT32), -1, "Largest message accepted."),
    Field("max_consumers", Count(limit=True), -1, "Most consumers."),
    Field("discard", Choice(("old", "new")), "old", "At a limit, drop the oldest or refuse the new."),
    Field("discard_new_per_subject", Flag(), default=False, doc="With discard new: at max_msgs_per_subject too."),
    Field("duplicate_window", Duration(), 0, "How long message IDs are remembered; 2m, or max_age if that is shorter."),
    Field("num_replicas", Count(5), 1, "Copies in a cluster."),
    Field("placement", _PLACEMENT, None, "Which servers hold it; a change moves the stream."),
    Field("mirror", SOURCE, None, "Stream this one is a copy of.", Mutability.PROMOTES, carry=Carry.NONE),
    Field("sources", ListOf(SOURCE), [], "Streams this one gathers messages from."),
    Field("republish", _REPUBLISH, None, "Publish each stored message again."),
    Field("subject_transform", TRANSFORM, None, "New subjects for arriving messages."),
    Field("compression", Choice(("none", "s2")), "none", "Compression of the file store."),
    Field("first_seq", Count(UINT64), 0, "First sequence; has an effect at creation only.", FIXED, carry=Carry.DEFAULT),
    Field("no_ack", Flag(), default=False, doc="Do not acknowledge messages."),
    Field("allow_direct", Flag(), default=False, doc="Let any replica answer direct gets."),
    Field("mirror_direct", Flag(), default=False, doc="Let mirrors answer direct gets for their origin."),
    Field(
        "sealed",
        Flag(),
        default=False,
        doc="No message can be added or removed; not for a new stream.",
        change=RISES,
    ),
    Field("deny_delete", Flag(), default=False, doc="Messages cannot be deleted.", change=RISES),
    Field("deny_purge", Flag(), default=False, doc="The stream cannot be purged.", change=RISES),
    Field("allow_rollup_hdrs", Flag(), default=False, doc="Let a message replace all earlier ones."),
    Field(
        "allow_msg_ttl", Flag(), default=False, doc="Let a message have its own age limit.", change=RISES, since=(2, 11)
    ),
    Field(
        "subject_delete_marker_ttl",
        Duration(),
        0,
        "Age of the marker a subject's last expired message leaves.",
        since=(2, 11),
    ),
    Field(
        "allow_msg_counter",
        Flag(),
        default=False,
        doc="Messages are counters.",
        change=FIXED,
        since=(2, 12),
        carry=Carry.DEFAULT,
    ),
    Field("allow_atomic", Flag(), default=False, doc="Let batches be published as one.", since=(2, 12)),
    Field("allow_msg_schedules", Flag(), default=False, doc="Let messages be scheduled.", change=RISES, since=(2, 12)),
    Field("allow_batched", Flag(), default=False, doc="Let messages be published in fast batches.", since=(2, 14)),
    Field("persist_mode", Choice(("default", "async")), "default", "When writes reach the disk.", FIXED, (2, 12)),
    Field("consumer_limits", _CONSUMER_LIMITS, None, "Limits and defaults for its consumers."),
    Field("metadata", Labels(), {}, "Text of your own; keys that begin with _nats. are the server's."),
)

BY_NAME: Final = {field.name: field for field in FIELDS}

# What the catalogue says of a stream beside its configuration; never sent to the server.
POLICY_FIELDS: Final = (
    Field("purpose", Text(), "", "What the stream is for; shown, never sent."),
    Field("on_delete", Member(OnDelete), None, "What deleting the stream does; instead of the stack's onDelete."),
    Field("adopt", Member(Adopt), Adopt.EQUAL, "What to do with a stream that is there already."),
    Field("renamed_from", Text(), "", "Name the stream had; its messages and consumers are carried over, once."),
    Field(
        "mark_owner", Flag(), default=False, doc="Name the stack in its metadata; not where services create the stream."
    ),
)

# And what only a catalogue says: no property of a resource, so that a change of it is no update.
CATALOGUE_FIELDS: Final = (*POLICY_FIELDS, Field("watch", STREAM_WATCH, None, "What is worth an alert; never sent."))
