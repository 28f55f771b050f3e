"""``KeyValue``. Written by ``make docs`` from the tables in ``provisioner/schema``: edit those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input

from provisioner.providers.buckets import KeyValueProvider
from provisioner.resources.blocks import Adopt, Compression, OnDelete, Placement, Republish, Source, Storage
from provisioner.resources.errors import named
from provisioner.resources.managed import Managed
from provisioner.resources.server import Server
from provisioner.resources.wording import KEY_VALUE


class KeyValue(Managed, module="jetstream", name="KeyValue"):
    """A key-value bucket.

    Args:
        resource_name: its name in Pulumi's state.
        server: The server that it is on.
        bucket: Name of the bucket; that of the resource.
        purpose: What the stream is for; shown, never sent.
        on_delete: What deleting the stream does; instead of the server's on_delete.
        adopt: What to do with a stream that is there already.
        mark_owner: Name the stack in its metadata; not where services create the stream.
        history: Revisions kept of each key; at most 64.
        ttl: Age at which an entry is removed.
        max_value_size: Largest value accepted.
        replicas: Copies in a cluster.
        description: Text on the server; a service that creates the stream must send it too.
        max_bytes: Most bytes stored.
        storage: Where messages are stored.
        placement: Which servers hold it; a change moves the stream.
        compression: Compression of the file store.
        metadata: Text of your own; keys that begin with _nats. are the server's.
        republish: Publish each stored message again.
        mirror: Stream this one is a copy of.
        sources: Streams this one gathers messages from.
        limit_marker_ttl: Age of the marker that an expired key leaves. Since nats-server 2.11.
        allow_direct: Let any replica answer gets; nats-py's is false without direct.
        allow_msg_ttl: Let a key have its own age limit; nats-py's is true.
        seed: First values, by key: made where there is none, never overwritten.
        opts: Pulumi's options.

    Attributes:
        bucket: Its name.
        created: When the server made it, in RFC 3339.
        url: Where the server is.

    Raises:
        ArgumentError: an argument is wrong: one line for each.
    """

    wording = KEY_VALUE
    provider = KeyValueProvider
    bucket: pulumi.Output[str]
    created: pulumi.Output[str]
    url: pulumi.Output[str]

    @named
    def __init__(  # noqa: PLR0913 - one for each field
        self,
        resource_name: str,
        *,
        server: Server,
        bucket: Input[str] | None = None,
        purpose: Input[str] | None = None,
        on_delete: Input[OnDelete] | None = None,
        adopt: Input[Adopt] | None = None,
        mark_owner: Input[bool] | None = None,
        history: Input[int] | None = None,
        ttl: Input[str] | None = None,
        max_value_size: Input[int | str] | None = None,
        replicas: Input[int] | None = None,
        description: Input[str] | None = None,
        max_bytes: Input[int | str] | None = None,
        storage: Input[Storage] | None = None,
        placement: Input[Placement] | None = None,
        compression: Input[Compression] | None = None,
        metadata: Input[Mapping[str, Input[str]]] | None = None,
        republish: Input[Republish] | None = None,
        mirror: Input[Source] | None = None,
        sources: Input[Sequence[Input[Source]]] | None = None,
        limit_marker_ttl: Input[str] | None = None,
        allow_direct: Input[bool] | None = None,
        allow_msg_ttl: Input[bool] | None = None,
        seed: Input[Mapping[str, Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {
            "bucket": resource_name if bucket is None else bucket,
            "purpose": purpose,
            "on_delete": on_delete,
            "adopt": adopt,
            "mark_owner": mark_owner,
            "history": history,
            "ttl": ttl,
            "max_value_size": max_value_size,
            "replicas": replicas,
            "description": description,
            "max_bytes": max_bytes,
            "storage": storage,
            "placement": placement,
            "compression": compression,
            "metadata": metadata,
            "republish": republish,
            "mirror": mirror,
            "sources": sources,
            "limit_marker_ttl": limit_marker_ttl,
            "allow_direct": allow_direct,
            "allow_msg_ttl": allow_msg_ttl,
            "seed": seed,
        }
        super().__init__(resource_name, given, server, opts, ("bucket", "created"))
