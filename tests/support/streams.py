"""Streams that are gone when a test says so."""

from __future__ import annotations

from provisioner.jetstream.client import JetStream
from tests.support.nats_cluster import NatsCluster
from tests.support.nats_server import NatsServer
from tests.support.waiting import until


def delete(client: JetStream, server: NatsServer | NatsCluster, name: str) -> None:
    """Delete a stream and wait until its files are gone, in a cluster from every node.

    A server removes them after its answer. A stream of the same name that is made before that gets the
    old messages, or cannot be created.
    """
    client.delete(name)
    folders = [f"{node}data/jetstream/*/streams/{at}{name}" for node in ("", "*/") for at in ("", ".")]
    until(f"the files of {name} are gone", lambda: not any(any(server.folder.glob(folder)) for folder in folders))
