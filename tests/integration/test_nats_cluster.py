"""The cluster that tests run against is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from nats.errors import NoRespondersError

from tests.support.nats_cluster import running_cluster
from tests.support.raw_nats import RawClient, raw_client
from tests.support.waiting import until


@pytest.mark.timeout(120)
def test_a_replicated_stream_outlives_the_node_that_leads(tmp_path: Path) -> None:
    """Three nodes hold a stream; without its leader it takes messages, and back again all nodes are healthy."""
    with running_cluster(tmp_path, tags=[["a"], ["b"]]) as cluster, raw_client(cluster.nodes[0].url) as raw:
        raw.ask("STREAM.CREATE.S", {"name": "S", "subjects": ["s"], "num_replicas": 3})
        until("the stream takes messages", lambda: _published(raw))
        leader = cluster.names.index(raw.info("S")["cluster"]["leader"])
        other = next(number for number in range(3) if number != leader)
        cluster.kill(leader)
        with raw_client(cluster.nodes[other].url) as survivor:
            cluster.wait()
            assert 2 == len(cluster.running())
            assert "S" == until("a new leader takes messages", lambda: _published(survivor))
        cluster.start_node(leader)
        cluster.wait()

        assert [200, 200, 200] == [cluster.health(node) for node in range(3)]


def _published(client: RawClient) -> str | None:
    """None while a node has yet to hear who leads the stream."""
    try:
        return client.publish("s")
    except NoRespondersError:
        return None
