"""A run that changes a consumer while its leader is gone: what changes nothing is asked again until there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.catalogue.reader import parse
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.providers import consumer_properties
from provisioner.providers.consumer import ConsumerProvider
from provisioner.schema.model import OnDelete
from tests.support.nats_cluster import NatsCluster, running_cluster
from tests.support.waiting import until

DEADLINE_S = 60.0
STREAM, CONSUMER = "ORDERS", "billing"
CATALOGUE = f"{STREAM}: {{subjects: [orders], num_replicas: 3, consumers: {{{CONSUMER}: {{max_deliver: %d}}}}}}\n"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    """Three nodes that have the stream and its consumer."""
    with running_cluster(tmp_path) as running:
        catalogue = parse(CATALOGUE % 3, "streams.yaml")
        with closing(JetStream(running.url, Credentials())) as client:
            client.create(catalogue.streams[0].config)
            consumers.make(client, STREAM, catalogue.consumers[0].config)
            until("its leader is nobody else's", lambda: _leads_alone(client), DEADLINE_S)
        yield running


def _leads_alone(client: JetStream) -> bool:
    """Whether the node that answers for the consumer answers for neither the stream nor the cluster; else another."""
    own = leader(client)
    stream = client.request(f"STREAM.INFO.{STREAM}")["cluster"]["leader"]
    if own and own not in {stream, client.request("STREAM.LIST", {}).get("leader")}:
        return True
    client.request(f"CONSUMER.LEADER.STEPDOWN.{STREAM}.{CONSUMER}")
    return False


def leader(client: JetStream) -> str | None:
    """The node that answers for the consumer."""
    found = client.request(f"CONSUMER.INFO.{STREAM}.{CONSUMER}")["cluster"].get("leader")
    return str(found) if found else None


@pytest.mark.usefixtures("own_process")
def test_its_leader_is_killed(cluster: NatsCluster) -> None:
    """The update waits for the election, and is made once."""
    with closing(JetStream(cluster.url, Credentials())) as client:
        node = cluster.names.index(leader(client) or "")
    others = ",".join(each.url for number, each in enumerate(cluster.nodes) if number != node)
    old, new = (
        {**consumer_properties.inputs(parse(CATALOGUE % most, "x").consumers[0], OnDelete.GUARD), "url": others}
        for most in (3, 7)
    )
    ConsumerProvider().read(f"{STREAM}/{CONSUMER}", old)
    cluster.kill(node)
    ConsumerProvider().update(f"{STREAM}/{CONSUMER}", old, new)
    with closing(JetStream(others, Credentials())) as client:
        found = consumers.awaited(client, STREAM, CONSUMER)
    assert found
    assert found.config["max_deliver"] == 7
