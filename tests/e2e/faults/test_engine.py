"""The engine killed at random moments: one `pulumi cancel`, one up, and everything is as wanted."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.exploring import explores, new_seeds
from tests.support.faults.figures import Figures
from tests.support.faults.killing import killed
from tests.support.faults.publisher import Publisher, publishing
from tests.support.ports import free_port

RUNS = int(os.environ.get("FAULT_RUNS", "6"))
CHECKPOINTS: tuple[dict[str, str], ...] = ({}, {"PULUMI_SKIP_CHECKPOINTS": "true"})

KEPT = {"KEPT_A": "kept.a", "KEPT_B": "kept.b"}
SUBJECTS = {**KEPT, "GONE_A": "gone.a", "GONE_B": "gone.b"}
CATALOGUE: dict[str, Any] = {
    name: {"subjects": [subject], "on_delete": "retain" if name in KEPT else "delete"}
    for name, subject in SUBJECTS.items()
}


@pytest.fixture
def local(project: Project) -> Project:
    """A stack with a server of its own, some of whose streams stay on destroy."""
    project.catalogue(**CATALOGUE)
    project.configure(
        server="process",
        onDelete="delete",
        catalogue="streams.yaml",
        clientPort=free_port(),
        monitorPort=free_port(),
        storeDir=str(project.folder / "nats"),
    )
    return project


@dataclass
class Scene:
    """A stack whose engine is killed, and who watches.

    Attributes:
        seconds: how long each command takes when nobody kills it, by the last one that nobody killed.
        attempts: how many engines were to be killed; ``figures.faults`` counts those that were still running.
    """

    project: Project
    publisher: Publisher
    client: JetStream
    seconds: dict[str, float]
    figures: Figures
    attempts: int = 0

    def round(self, seed: int) -> None:
        """Kill a destroy, then an up; one `up` then makes everything right, and no acknowledged message is lost."""
        with ExitStack() as until:
            done = self._kill_both(seed, until)
            result = self.project.pulumi("up", "--yes", "--skip-preview", "--diff")
        print(done)  # noqa: T201 - pytest shows it with a failure
        assert result.code == 0, f"{done}: {result.text}"
        self.publisher.wait_for_more()
        self.figures.count_lost(self.publisher.lost(self.client))
        assert SUBJECTS.keys() == self.client.streams().keys(), done
        self.figures.converged += 1

    def _kill_both(self, seed: int, until: ExitStack) -> str:
        """A destroy, then an up, each killed somewhere on its way; tells what was done."""
        chance, done = random.Random(seed), [f"seed {seed}"]  # noqa: S311 - to be repeated, not to be kept secret
        for command, whole in [*self.seconds.items()]:
            after, orphans = chance.uniform(0.2, 0.9) * whole, chance.random() < 1 / 2
            checkpoints = chance.choice(CHECKPOINTS)
            self.attempts += 1
            start = time.monotonic()
            if until.enter_context(killed(self.project, command, after=after, orphans=orphans, **checkpoints)):
                self.figures.faults += 1
                self.project.recover()
                done.append(f"{command} killed after {after:.2f} of {whole:.2f} s, {orphans=}, {checkpoints=}")
            else:
                self.seconds[command] = time.monotonic() - start  # the machine has become faster
        return "; ".join(done)


@pytest.fixture
def scene(local: Project, figures: Figures) -> Iterator[Scene]:
    """Streams that are published to for as long as the test lasts; in the end the stack is as it should be."""
    url = f"nats://127.0.0.1:{local.settings['clientPort']}"
    local.up()
    with publishing(url, SUBJECTS) as publisher, closing(JetStream(url, Credentials())) as client:
        publisher.wait_for_more()
        seconds = {command: _seconds(local, command) for command in ("destroy", "up")}
        yield Scene(local, publisher, client, seconds, figures)
        figures.acknowledged = publisher.count
        figures.count_lost({stream: publisher.missing(client, stream) for stream in KEPT})
    assert local.unchanged()


def _seconds(project: Project, command: str) -> float:
    """How long a command takes when nobody kills it."""
    start = time.monotonic()
    result = project.pulumi(command, "--yes", "--skip-preview")
    assert result.code == 0, result.text
    return time.monotonic() - start


@pytest.mark.timeout(300 + 120 * RUNS)  # a round takes 15 s on an idle machine
def test_the_next_up_is_enough(scene: Scene) -> None:
    """Up and destroy, killed with and without checkpoints: no kept message is lost, nothing needs a hand."""
    for seed in range(RUNS):
        scene.round(seed)
    hits = scene.figures.faults
    assert hits > scene.attempts / 2, f"only {hits} of {scene.attempts} kills hit a running engine: that proves little"


class TestExplore:
    """Moments that no run has seen."""

    pytestmark = explores()

    def test_kills(self, scene: Scene) -> None:
        """As above; a failure names its seed."""
        for seed in new_seeds(share=0.15):
            scene.round(seed)
        assert scene.figures.faults, "no kill hit a running engine"
