"""Faults of a cluster that the stack runs itself: no acknowledged message is lost, and the next up mends everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.exploring import explores, new_seeds
from tests.support.faults.cluster_rounds import CARRY, QUIET, UPDATE, Round, Rounds
from tests.support.faults.figures import Figures, Record
from tests.support.faults.nodes import Nodes
from tests.support.faults.publisher import publishing
from tests.support.ports import free_port

NODES = 3
STREAMS = {"ONE": "one", "TWO": "two", "THREE": "three"}
PING_S = 1


@pytest.fixture
def rounds(project: Project, figures: Figures, record_property: Record) -> Iterator[Rounds]:
    """A cluster whose streams are on all nodes and are published to for as long as the test lasts."""
    with _rounds(project, figures, record_property, NODES) as made:
        yield made


@pytest.fixture
def five(project: Project, figures: Figures, record_property: Record) -> Iterator[Rounds]:
    """One of five nodes, each stream on three of them."""
    with _rounds(project, figures, record_property, 5) as made:
        yield made


@contextmanager
def _rounds(project: Project, figures: Figures, record_property: Record, nodes: int) -> Iterator[Rounds]:
    ports = {name: [free_port() for _ in range(nodes)] for name in ("clientPort", "monitorPort", "clusterPort")}
    settings: dict[str, Any] = {name: ",".join(map(str, each)) for name, each in ports.items()}
    folder = project.folder / "nats"
    project.configure(
        server="process", nodes=nodes, replicas=3, onDelete="delete", catalogue="streams.yaml",
        storeDir=str(folder), **settings,
    )  # fmt: skip
    url = ",".join(f"nats://127.0.0.1:{port}" for port in ports["clientPort"])
    monitor_urls = tuple(f"http://127.0.0.1:{port}" for port in ports["monitorPort"])
    project.catalogue(**{name: {"subjects": [subject], "description": "edit 0"} for name, subject in STREAMS.items()})
    project.up()
    with publishing(url, STREAMS, PING_S) as publisher, closing(JetStream(url, Credentials())) as client:
        publisher.wait_for_more()
        made = Rounds(project, Nodes(folder, monitor_urls, client, tuple(STREAMS)), publisher, client, figures, STREAMS)
        try:
            yield made
        finally:
            figures.acknowledged = publisher.count
            made.record(record_property)


DEFAULT = (
    Round("two nodes are killed", QUIET),
    Round("a stream's leader is killed", UPDATE),
    Round("a node is paused", UPDATE),
)


def test_the_next_up_is_enough(rounds: Rounds) -> None:
    """Two nodes at once, a leader in the middle of an update, a node that hangs in another; a preview finds nothing."""
    for each in DEFAULT:
        rounds.play(each)
    assert rounds.project.unchanged()


class TestExplore:
    """Faults and moments that no run has seen."""

    pytestmark = explores()

    def test_cluster(self, rounds: Rounds) -> None:
        """As above; a failure names its round."""
        for seed in new_seeds(share=0.5):
            drawn = Round.drawn(seed)
            rounds.play(drawn)
            assert rounds.project.unchanged(), drawn

    def test_five_nodes(self, five: Rounds) -> None:
        """As above, with five: two may be gone, and every stream has its majority as long as it had one of them."""
        for seed in new_seeds(share=0.5):
            drawn = Round.drawn(seed)
            five.play(drawn)
            assert five.project.unchanged(), drawn

    def test_carries(self, rounds: Rounds) -> None:
        """As above, while every stream is carried over, again and again."""
        for seed in new_seeds(share=0.5):
            drawn = replace(Round.drawn(seed), during=CARRY)
            rounds.play(drawn)
            assert rounds.project.unchanged(), drawn
