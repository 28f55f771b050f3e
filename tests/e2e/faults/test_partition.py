"""Nodes of a cluster that cannot reach one another, with an up in the middle: no acknowledged message is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from random import Random

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project, Result
from tests.support.exploring import explores, new_seeds
from tests.support.faults.figures import PROPERTY, Figures, Record
from tests.support.faults.links import Links, linked_cluster
from tests.support.faults.publisher import Publisher, publishing

STREAMS = {"ONE": "one", "TWO": "two", "THREE": "three"}
PING_S = 1
LONGEST_S = 12.0  # a leader that is cut off steps down after ten


@dataclass
class Scene:
    """A stack of streams on such a cluster, and who publishes to them."""

    project: Project
    links: Links
    publisher: Publisher
    client: JetStream
    figures: Figures
    edits: int = 0
    longest_gap: float = 0.0
    failed_ups: int = 0

    def describe(self) -> None:
        """A change of every stream for the next up."""
        self.edits += 1
        fields = {"num_replicas": 3, "description": f"edit {self.edits}"}
        self.project.catalogue(**{name: {"subjects": [subject], **fields} for name, subject in STREAMS.items()})

    def round(self, seed: int, seconds: float | None = None) -> None:
        """An up while some nodes are cut off, and one when they are back: that one succeeds."""
        chance, start = Random(seed), time.time()  # noqa: S311 - to be repeated, not to be kept secret
        size = self.links.cluster.size
        apart, silently = chance.sample(range(size), chance.choice([1, 1, size])), chance.random() < 1 / 2
        seconds = seconds or chance.uniform(1, LONGEST_S)
        what = f"seed {seed}: {apart} apart for {seconds:.1f} s, {silently=}"
        print(what)  # noqa: T201 - pytest shows it with a failure
        self.describe()
        with ThreadPoolExecutor(1) as executor, self.links.parted(apart, silently=silently):
            running: Future[Result] = executor.submit(self.project.pulumi, "up", "--yes", "--skip-preview")
            with suppress(TimeoutError):
                running.result(seconds)
        said = running.result()
        assert "Traceback" not in said.text, f"{what}: {said.text}"
        self.figures.faults += 1
        self.failed_ups += said.code != 0
        self._mended(what, start)

    def _mended(self, what: str, start: float) -> None:
        self.links.cluster.wait()
        self.project.up()
        self.figures.converged += 1
        self.publisher.wait_for_more()
        self.longest_gap = max(self.longest_gap, self.publisher.gap_since(start))
        self.figures.count_lost({name: self.publisher.missing(self.client, name) for name in STREAMS})
        assert self.project.unchanged(), what
        live = {info.config["description"] for info in self.client.streams().values()}
        assert {f"edit {self.edits}"} == live, what


@pytest.fixture
def scene(project: Project, figures: Figures, record_property: Record) -> Iterator[Scene]:
    """Streams on all nodes, published to for as long as the test lasts."""
    with (
        linked_cluster(project.folder / "nats") as links,
        closing(JetStream(links.cluster.url, Credentials())) as client,
    ):
        project.configure(server="external", url=links.cluster.url, onDelete="delete", catalogue="streams.yaml")
        with publishing(links.cluster.url, STREAMS, PING_S) as publisher:
            made = Scene(project, links, publisher, client, figures)
            made.describe()
            project.up()
            publisher.wait_for_more()
            try:
                yield made
            finally:
                figures.acknowledged = publisher.count
                gap = f"longest gap {made.longest_gap:.2f} s, ups that failed meanwhile {made.failed_ups}"
                print(gap)  # noqa: T201 - with `-s` while it runs
                record_property(PROPERTY, f"a partition: rounds {figures.faults}, {gap}")


def test_an_up_in_a_partition(scene: Scene) -> None:
    """One node is cut off while streams are updated; the same up when it is back does what is left."""
    scene.round(seed=1, seconds=4.0)


class TestExplore:
    """Partitions that no run has seen."""

    pytestmark = explores()

    def test_partitions(self, scene: Scene) -> None:
        """As above; a failure names its seed."""
        for seed in new_seeds(share=0.3):
            scene.round(seed)
