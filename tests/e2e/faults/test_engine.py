"""The engine killed at random moments: one `pulumi cancel`, one up, and everything is as wanted."""

from __future__ import annotations

import os
import random
import time
from contextlib import ExitStack, closing
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.faults.killing import killed
from tests.support.faults.publisher import publishing
from tests.support.nats_server import free_port

RUNS = int(os.environ.get("FAULT_RUNS", "6"))
CHECKPOINTS: tuple[dict[str, str], ...] = ({}, {"PULUMI_EXPERIMENTAL": "1", "PULUMI_SKIP_CHECKPOINTS": "true"})

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


def _seconds(project: Project, command: str) -> float:
    """How long a command takes when nobody kills it."""
    start = time.monotonic()
    said = project.pulumi(command, "--yes", "--skip-preview")
    assert said.code == 0, said.text
    return time.monotonic() - start


def _kill_both(project: Project, seed: int, seconds: dict[str, float], until: ExitStack) -> str:
    """A destroy, then an up, each killed somewhere on its way; tells what was done."""
    chance, done = random.Random(seed), [f"seed {seed}"]  # noqa: S311 - to be repeated, not to be kept secret
    for command, whole in seconds.items():
        after, orphans = chance.uniform(0.2, 1) * whole, chance.random() < 1 / 2
        checkpoints = chance.choice(CHECKPOINTS)
        if until.enter_context(killed(project, command, after=after, orphans=orphans, **checkpoints)):
            project.pulumi("cancel", "--yes")
            done.append(f"{command} killed after {after:.2f} of {whole:.2f} s, {orphans=}, {checkpoints=}")
    return "; ".join(done)


@pytest.mark.timeout(120 + 60 * RUNS)
def test_the_next_up_is_enough(local: Project) -> None:
    """Up and destroy, killed with and without checkpoints: no kept message is lost, nothing needs a hand."""
    url = f"nats://127.0.0.1:{local.settings['clientPort']}"
    local.up()
    with publishing(url, SUBJECTS) as publisher, closing(JetStream(url, Credentials())) as client:
        publisher.wait_for_more()
        seconds = {command: _seconds(local, command) for command in ("destroy", "up")}
        for seed in range(RUNS):
            with ExitStack() as until:
                done = _kill_both(local, seed, seconds, until)
                said = local.pulumi("up", "--yes", "--skip-preview", "--diff")
            print(done)  # noqa: T201 - pytest shows it with a failure
            assert said.code == 0, f"{done}: {said.text}"
            publisher.wait_for_more()
            assert {} == publisher.lost(client), done
            assert SUBJECTS.keys() == client.streams().keys()
        assert [[]] * len(KEPT) == [publisher.missing(client, stream) for stream in KEPT]
    assert local.unchanged()
