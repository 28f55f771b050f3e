"""The engine killed at random moments: one `pulumi cancel`, one up, and everything is as wanted."""

from __future__ import annotations

import os
import random
import time
from contextlib import closing
from typing import Any

import pytest

from provisioner.client import JetStream
from provisioner.connection import Credentials
from tests.e2e.conftest import Project
from tests.faults.killing import killed
from tests.faults.publisher import publishing
from tests.nats_server import free_port

RUNS = int(os.environ.get("FAULT_RUNS", "6"))
WITHOUT_CHECKPOINTS = {"PULUMI_EXPERIMENTAL": "1", "PULUMI_SKIP_CHECKPOINTS": "true"}

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


def _seconds(project: Project, *commands: str) -> dict[str, float]:
    """How long each command takes when nobody kills it."""
    taken = {}
    for command in commands:
        start = time.monotonic()
        said = project.pulumi(command, "--yes", "--skip-preview")
        taken[command] = time.monotonic() - start
        assert said.code == 0, said.text
    return taken


def _kill(project: Project, command: str, seconds: float, chance: random.Random) -> bool:
    environment = chance.choice([WITHOUT_CHECKPOINTS, {}])
    return killed(
        project, command, after=chance.random() * seconds, orphans=chance.random() < 0.5, **environment
    )


@pytest.mark.timeout(120 + 60 * RUNS)
def test_the_next_up_is_enough(local: Project) -> None:
    """Up and destroy, killed with and without checkpoints: no kept message is lost, nothing needs a hand."""
    url = f"nats://127.0.0.1:{local.settings['clientPort']}"
    with publishing(url, SUBJECTS) as publisher:
        seconds = _seconds(local, "destroy", "up")
        publisher.wait_for_more()
        with closing(JetStream(url, Credentials())) as client:
            for seed in range(RUNS):
                chance = random.Random(seed)
                for command in ("destroy", "up"):
                    if _kill(local, command, seconds[command], chance):
                        local.pulumi("cancel", "--yes")
                said = local.pulumi("up", "--yes", "--skip-preview", "--diff")
                assert said.code == 0, f"seed {seed}: {said.text}"
                publisher.wait_for_more()
                assert {} == publisher.lost(client), f"seed {seed}"
                assert SUBJECTS.keys() == client.streams().keys()
            assert [[]] * len(KEPT) == [publisher.missing(client, stream) for stream in KEPT]
    assert local.unchanged()
