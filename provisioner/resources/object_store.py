"""``ObjectStore``. Written by ``make docs`` from the tables in ``provisioner/schema``: edit those."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi import Input

from provisioner.providers.buckets import ObjectStoreProvider
from provisioner.resources.blocks import Adopt, Compression, OnDelete, Placement, Storage
from provisioner.resources.errors import named
from provisioner.resources.managed import Managed
from provisioner.resources.server import Server
from provisioner.resources.wording import OBJECT_STORE


class ObjectStore(Managed, module="jetstream", name="ObjectStore"):
    """An object store.

    Args:
        resource_name: its name in Pulumi's state.
        server: The server that it is on.
        bucket: Name of the object store; that of the resource.
        purpose: What the stream is for; shown, never sent.
        on_delete: What deleting the stream does; instead of the server's on_delete.
        adopt: What to do with a stream that is there already.
        mark_owner: Name the stack in its metadata; not where services create the stream.
        ttl: Age at which an entry is removed.
        replicas: Copies in a cluster.
        description: Text on the server; a service that creates the stream must send it too.
        max_bytes: Most bytes stored.
        storage: Where messages are stored.
        placement: Which servers hold it; a change moves the stream.
        compression: Compression of the file store.
        metadata: Text of your own; keys that begin with _nats. are the server's.
        sealed: No object can be added or removed; not for a new store.
        opts: Pulumi's options.

    Attributes:
        bucket: Its name.
        created: When the server made it, in RFC 3339.
        url: Where the server is.

    Raises:
        ArgumentError: an argument is wrong: one line for each.
    """

    wording = OBJECT_STORE
    provider = ObjectStoreProvider
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
        ttl: Input[str] | None = None,
        replicas: Input[int] | None = None,
        description: Input[str] | None = None,
        max_bytes: Input[int | str] | None = None,
        storage: Input[Storage] | None = None,
        placement: Input[Placement] | None = None,
        compression: Input[Compression] | None = None,
        metadata: Input[Mapping[str, Input[str]]] | None = None,
        sealed: Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {
            "bucket": resource_name if bucket is None else bucket,
            "purpose": purpose,
            "on_delete": on_delete,
            "adopt": adopt,
            "mark_owner": mark_owner,
            "ttl": ttl,
            "replicas": replicas,
            "description": description,
            "max_bytes": max_bytes,
            "storage": storage,
            "placement": placement,
            "compression": compression,
            "metadata": metadata,
            "sealed": sealed,
        }
        super().__init__(resource_name, given, server, opts, ("bucket", "created"))
