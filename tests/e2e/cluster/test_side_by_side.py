"""Two clusters of two stacks on one machine: whatever happens to one, the other takes no notice."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.cluster.test_life import NODES, outputs, pids, settings
from tests.e2e.conftest import Project
from tests.support.exploring import explores
from tests.support.faults.figures import PROPERTY, Figures, Record
from tests.support.faults.publisher import Publisher, publishing
from tests.support.messages import SUBJECTS


class TestExplore:
    """It takes two minutes."""

    pytestmark = explores()

    def test_two_clusters(self, project: Project, figures: Figures, record_property: Record) -> None:
        """Made, killed and rolled in one run, destroyed, beside one with a publisher, which is rolled in the end."""
        _configure(project, "nats")
        project.up()
        before = pids(project)
        other = Project(project.folder, project.environment, "other")
        assert other.pulumi("stack", "init", "other").code == 0
        with publishing(outputs(project)["url"], SUBJECTS) as publisher:
            publisher.wait_for_more()
            _live_and_die(other, figures)
            publisher.wait_for_more()
            assert (before, 0) == (pids(project), publisher.disconnections)
            record_property(PROPERTY, f"beside the other: longest gap {publisher.longest_gap:.2f} s")
            project.configure(**{**project.settings, "syncInterval": "2m"})
            project.up()
            publisher.wait_for_more()
        _count(project, publisher, figures)


def _configure(project: Project, folder: str) -> None:
    project.configure(**settings(project.folder / folder), nodes=NODES, replicas=NODES)


def _live_and_die(other: Project, figures: Figures) -> None:
    """Up, a node killed and a change rolled out in one run, destroyed without a trace."""
    _configure(other, "other")
    other.up()
    with publishing(outputs(other)["url"], SUBJECTS) as publisher:
        publisher.wait_for_more()
        os.kill(pids(other)["nats-2"], signal.SIGKILL)
        other.configure(**{**other.settings, "syncInterval": "2m"})
        other.up()
        publisher.wait_for_more()
    figures.faults = figures.converged = 1
    _count(other, publisher, figures)
    other.destroy()
    assert not Path(other.settings["storeDir"]).exists()


def _count(project: Project, publisher: Publisher, figures: Figures) -> None:
    assert project.unchanged()
    figures.acknowledged += publisher.count
    with closing(JetStream(outputs(project)["url"], Credentials())) as client:
        figures.count_lost(publisher.lost(client))
