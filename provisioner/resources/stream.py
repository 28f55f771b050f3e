"""``Stream``. Written by ``make docs`` from the tables in ``provisioner/schema``: edit those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input

from provisioner.providers.stream import StreamProvider
from provisioner.resources.blocks import (
    Adopt,
    Compression,
    ConsumerLimits,
    Discard,
    Limit,
    OnDelete,
    PersistMode,
    Placement,
    Republish,
    Retention,
    Source,
    Storage,
    SubjectTransform,
)
from provisioner.resources.errors import named
from provisioner.resources.managed import Managed
from provisioner.resources.server import Server
from provisioner.resources.wording import STREAM


class Stream(Managed, module="jetstream", name="Stream"):
    """A JetStream stream.

    Args:
        resource_name: its name in Pulumi's state.
        server: The server that it is on.
        name: Name of the stream; that of the resource.
        purpose: What the stream is for; shown, never sent.
        on_delete: What deleting the stream does; instead of the server's on_delete.
        adopt: What to do with a stream that is there already.
        renamed_from: Name the stream had; its messages and consumers are carried over, once.
        mark_owner: Name the stack in its metadata; not where services create the stream.
        description: Text on the server; a service that creates the stream must send it too.
        subjects: Subjects the stream captures; its name if none.
        retention: What keeps a message.
        storage: Where messages are stored.
        max_age: Age at which messages are removed.
        max_bytes: Most bytes stored.
        max_msgs: Most messages stored.
        max_msgs_per_subject: Most messages stored on each subject.
        max_msg_size: Largest message accepted.
        max_consumers: Most consumers.
        discard: At a limit, drop the oldest or refuse the new.
        discard_new_per_subject: With discard new: at max_msgs_per_subject too.
        duplicate_window: How long message IDs are remembered; 2m, or max_age if that is shorter.
        num_replicas: Copies in a cluster.
        placement: Which servers hold it; a change moves the stream.
        mirror: Stream this one is a copy of.
        sources: Streams this one gathers messages from.
        republish: Publish each stored message again.
        subject_transform: New subjects for arriving messages.
        compression: Compression of the file store.
        first_seq: First sequence; has an effect at creation only.
        no_ack: Do not acknowledge messages.
        allow_direct: Let any replica answer direct gets.
        mirror_direct: Let mirrors answer direct gets for their origin.
        sealed: No message can be added or removed; not for a new stream.
        deny_delete: Messages cannot be deleted.
        deny_purge: The stream cannot be purged.
        allow_rollup_hdrs: Let a message replace all earlier ones.
        allow_msg_ttl: Let a message have its own age limit. Since nats-server 2.11.
        subject_delete_marker_ttl: Age of the marker a subject's last expired message leaves. Since nats-server 2.11.
        allow_msg_counter: Messages are counters. Since nats-server 2.12.
        allow_atomic: Let batches be published as one. Since nats-server 2.12.
        allow_msg_schedules: Let messages be scheduled. Since nats-server 2.12.
        allow_batched: Let messages be published in fast batches. Since nats-server 2.14.
        persist_mode: When writes reach the disk. Since nats-server 2.12.
        consumer_limits: Limits and defaults for its consumers.
        metadata: Text of your own; keys that begin with _nats. are the server's.
        opts: Pulumi's options.

    Attributes:
        name: Its name.
        subjects: The subjects that are said.
        created: When the server made it, in RFC 3339.
        url: Where the server is.

    Raises:
        ArgumentError: an argument is wrong: one line for each.
    """

    wording = STREAM
    provider = StreamProvider
    name: pulumi.Output[str]
    subjects: pulumi.Output[list[str]]
    created: pulumi.Output[str]
    url: pulumi.Output[str]

    @named
    def __init__(  # noqa: PLR0913 - one for each field
        self,
        resource_name: str,
        *,
        server: Server,
        name: Input[str] | None = None,
        purpose: Input[str] | None = None,
        on_delete: Input[OnDelete] | None = None,
        adopt: Input[Adopt] | None = None,
        renamed_from: Input[str] | None = None,
        mark_owner: Input[bool] | None = None,
        description: Input[str] | None = None,
        subjects: Input[Sequence[Input[str]]] | None = None,
        retention: Input[Retention] | None = None,
        storage: Input[Storage] | None = None,
        max_age: Input[str] | None = None,
        max_bytes: Input[int | str] | None = None,
        max_msgs: Input[Limit] | None = None,
        max_msgs_per_subject: Input[Limit] | None = None,
        max_msg_size: Input[int | str] | None = None,
        max_consumers: Input[Limit] | None = None,
        discard: Input[Discard] | None = None,
        discard_new_per_subject: Input[bool] | None = None,
        duplicate_window: Input[str] | None = None,
        num_replicas: Input[int] | None = None,
        placement: Input[Placement] | None = None,
        mirror: Input[Source] | None = None,
        sources: Input[Sequence[Input[Source]]] | None = None,
        republish: Input[Republish] | None = None,
        subject_transform: Input[SubjectTransform] | None = None,
        compression: Input[Compression] | None = None,
        first_seq: Input[int] | None = None,
        no_ack: Input[bool] | None = None,
        allow_direct: Input[bool] | None = None,
        mirror_direct: Input[bool] | None = None,
        sealed: Input[bool] | None = None,
        deny_delete: Input[bool] | None = None,
        deny_purge: Input[bool] | None = None,
        allow_rollup_hdrs: Input[bool] | None = None,
        allow_msg_ttl: Input[bool] | None = None,
        subject_delete_marker_ttl: Input[str] | None = None,
        allow_msg_counter: Input[bool] | None = None,
        allow_atomic: Input[bool] | None = None,
        allow_msg_schedules: Input[bool] | None = None,
        allow_batched: Input[bool] | None = None,
        persist_mode: Input[PersistMode] | None = None,
        consumer_limits: Input[ConsumerLimits] | None = None,
        metadata: Input[Mapping[str, Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {
            "name": resource_name if name is None else name,
            "purpose": purpose,
            "on_delete": on_delete,
            "adopt": adopt,
            "renamed_from": renamed_from,
            "mark_owner": mark_owner,
            "description": description,
            "subjects": subjects,
            "retention": retention,
            "storage": storage,
            "max_age": max_age,
            "max_bytes": max_bytes,
            "max_msgs": max_msgs,
            "max_msgs_per_subject": max_msgs_per_subject,
            "max_msg_size": max_msg_size,
            "max_consumers": max_consumers,
            "discard": discard,
            "discard_new_per_subject": discard_new_per_subject,
            "duplicate_window": duplicate_window,
            "num_replicas": num_replicas,
            "placement": placement,
            "mirror": mirror,
            "sources": sources,
            "republish": republish,
            "subject_transform": subject_transform,
            "compression": compression,
            "first_seq": first_seq,
            "no_ack": no_ack,
            "allow_direct": allow_direct,
            "mirror_direct": mirror_direct,
            "sealed": sealed,
            "deny_delete": deny_delete,
            "deny_purge": deny_purge,
            "allow_rollup_hdrs": allow_rollup_hdrs,
            "allow_msg_ttl": allow_msg_ttl,
            "subject_delete_marker_ttl": subject_delete_marker_ttl,
            "allow_msg_counter": allow_msg_counter,
            "allow_atomic": allow_atomic,
            "allow_msg_schedules": allow_msg_schedules,
            "allow_batched": allow_batched,
            "persist_mode": persist_mode,
            "consumer_limits": consumer_limits,
            "metadata": metadata,
        }
        super().__init__(resource_name, given, server, opts, ("name", "subjects", "created"))
