"""A cluster and a leaf node, each reached through the other: the plan is about the servers that hold the streams."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from provisioner.errors import ApiError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.rules.server_limits import surrounding_problems
from provisioner.schema.model import ServerFacts
from tests.support.configurations import config
from tests.support.leaf import ClusterLeaf, cluster_and_leaf

MB = 10**6


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterLeaf]:
    """A hub of three nodes, and a single server as its leaf."""
    with cluster_and_leaf(tmp_path_factory.mktemp("joined")) as made:
        yield made


def ways(joined: ClusterLeaf, name: str) -> tuple[str, list[str]]:
    """How a client gets to the streams, and the monitoring of the servers that have them."""
    hub, leaf = joined.hub.monitor_urls, [joined.leaf.monitor_url]
    return {
        "the hub itself": (joined.hub.url, hub),
        "the leaf itself": (joined.leaf.url, leaf),
        "the hub through the leaf": (joined.hub_through_leaf, hub),
        "the leaf through the hub": (joined.leaf_through_hub, leaf),
    }[name]


WAYS = ("the hub itself", "the leaf itself", "the hub through the leaf", "the leaf through the hub")


@pytest.mark.parametrize("way", WAYS)
def test_a_plan_says_what_the_servers_behind_it_do(joined: ClusterLeaf, way: str) -> None:
    """With their monitoring what they refuse is a problem and nothing else is; without it nothing possible is one."""
    url, monitors = ways(joined, way)
    asked: tuple[dict[str, int], ...] = (
        {"num_replicas": 3},
        {"max_bytes": 1500 * MB},
        {"num_replicas": 3, "max_bytes": 1500 * MB},
        {},
    )
    with closing(JetStream(url, Credentials())) as client:
        knowing, guessing = client.facts(",".join(monitors)), client.facts()
        for fields in asked:
            wanted = config("S", subjects=["s"], **fields)
            known, guessed = (surrounding_problems(wanted, facts) for facts in (knowing, guessing))
            try:
                client.create(wanted)
            except ApiError as error:
                assert known, f"{fields}: the server refuses it, the planner has no problem with it: {error}"
            else:
                client.delete("S")
                assert ([], []) == (known, guessed), fields


@pytest.mark.parametrize("way", WAYS)
def test_the_version_is_that_of_the_servers_behind_it(joined: ClusterLeaf, way: str) -> None:
    """The server that greets the client may be another, and older."""
    url, monitors = ways(joined, way)
    with closing(JetStream(url, Credentials())) as client:
        own = client.facts(",".join(monitors)).version
        greeted = client.facts().version
    assert own == (2, 15, 1)
    assert greeted == (None if "through" in way else own)
    asks_for_more = config("S", subjects=["s"], allow_batched=True)
    assert [] == surrounding_problems(asks_for_more, replace(ServerFacts(), version=None))


def test_an_election_in_the_hub_is_outlasted_through_the_leaf(joined: ClusterLeaf) -> None:
    """A single server's client waits for a cluster's leader, where the cluster is behind it."""
    if joined.hub.meta_leader(0) == 0:  # which the leaf is connected to, so another has to lead
        joined.hub.kill(0)
        joined.hub.wait()
        joined.hub.start_node(0)
        joined.wait()
    leader = joined.hub.meta_leader(0)
    assert leader
    with closing(JetStream(joined.hub_through_leaf, Credentials())) as client:
        joined.hub.kill(leader)
        try:
            assert "limits" in client.account()
        finally:
            joined.hub.start_node(leader)
            joined.wait()
