"""Docker: a part of Pulumi is killed while a container and streams change, with a publisher at full speed."""

from __future__ import annotations

import gc
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
from docker.client import DockerClient
from docker.errors import NotFound

from provisioner.errors import ProvisionerError
from tests.e2e.conftest import Project
from tests.e2e.test_docker import _name, dev, engine_client
from tests.support.campaign.faults import PROGRAM, PROVIDER
from tests.support.campaign.runner import Engine, Outcome, run
from tests.support.exploring import explores, new_seeds
from tests.support.faults.figures import Figures
from tests.support.faults.flood import flooding, numbers
from tests.support.faults.killing import end_session
from tests.support.messages import stored
from tests.support.ports import free_port

# Docker takes a connection before the server listens; nats.py then drops it without closing it.
pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning")]
__all__ = ["dev", "engine_client"]  # pytest finds fixtures by their names here

SEEDS: Final = (2,)  # the engine, when the old container has just gone
PLUGINS: Final = (b"pulumi-resource-docker", b"tests.support.docker_plugin")  # the real one, the stand-in
_POLL_S: Final = 0.02
UP: Final = ("up", "--yes", "--skip-preview")


def _kill_engine(engine: Engine) -> bool:
    os.killpg(engine.pid, signal.SIGKILL)
    return True


KILLS: Final[Mapping[str, Callable[[Engine], bool]]] = {
    "engine": lambda engine: _kill_engine(engine) and end_session(engine.pid) > 0,
    "engine, orphans live": _kill_engine,
    "program": lambda engine: end_session(engine.pid, PROGRAM) > 0,
    "provider": lambda engine: end_session(engine.pid, PROVIDER) > 0,
    "docker plugin": lambda engine: sum(end_session(engine.pid, name) for name in PLUGINS) > 0,
}


def _answers(url: str) -> bool:
    try:
        return bool(stored(url))
    except ProvisionerError:
        return False


def _gone(rounds: Rounds, before: str) -> bool:
    return rounds.container() != before


def _made(rounds: Rounds, before: str) -> bool:
    return rounds.container() not in {before, ""}


def _serves(rounds: Rounds, before: str) -> bool:
    return _made(rounds, before) and _answers(rounds.url)


# What has happened when the kill strikes, some moments later.
MOMENTS: Final[Mapping[str, Callable[[Rounds, str], bool]]] = {
    "the old container is gone": _gone,
    "the new one is there": _made,
    "its server answers": _serves,
}


@dataclass
class Rounds:
    """A stack whose container and streams are changed again and again."""

    project: Project
    figures: Figures
    engine_client: DockerClient
    count: int = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.project.settings['clientPort']}"

    def container(self) -> str:
        """The container's id; empty while there is none."""
        try:
            return str(self.engine_client.containers.get(_name(self.project)).id)
        except NotFound:
            return ""

    def change(self) -> None:
        """Another monitoring port, a denial that only a new stream takes off again, a stream that comes or goes."""
        self.count += 1
        self.project.configure(**{**self.project.settings, "monitorPort": free_port()})
        odd = self.count % 2 == 1
        held = {"subjects": ["held"], "description": f"round {self.count}", "deny_delete": odd}
        self.project.catalogue(HELD=held, **({"SIDE": {"subjects": ["side"]}} if odd else {}))

    def undisturbed(self) -> None:
        """A change that nothing comes in the way of."""
        self.change()
        self.project.up()

    def killed(self, seed: int) -> None:
        """A change during which something is killed; one up is enough afterwards."""
        chance = random.Random(seed)  # noqa: S311 - to be repeated
        kill, moment, delay = chance.choice(list(KILLS)), chance.choice(list(MOMENTS)), chance.uniform(0, 1)
        self.change()
        before = self.container()

        def strike(engine: Engine) -> bool:
            return self._await(engine, moment, before, delay) and KILLS[kill](engine)

        outcome = run(self.project, *UP, environment={}, strike=strike)
        print(f"seed {seed}: {kill} {delay:.1f} s after {moment}: {outcome.summary()}")  # noqa: T201 - with a failure
        if outcome.code < 0:
            self.project.recover()
        try:
            self._heal(outcome)
        finally:
            end_session(outcome.engine)

    def _await(self, engine: Engine, moment: str, before: str, delay: float) -> bool:
        while engine.poll() is None and not MOMENTS[moment](self, before):
            time.sleep(_POLL_S)  # between two looks
        end = time.monotonic() + delay
        while engine.poll() is None and time.monotonic() < end:
            time.sleep(_POLL_S)  # the delay itself
        return engine.poll() is None

    def _heal(self, outcome: Outcome) -> None:
        self.figures.faults += outcome.hit
        self.project.up()
        assert self.project.unchanged()
        self.figures.converged += 1


@pytest.fixture
def rounds(dev: Project, engine_client: DockerClient, figures: Figures) -> Rounds:
    """A stack that is up."""
    # A server that syncs every message could not take back as many as the publisher sends.
    dev.configure(**{**dev.settings, "catalogue": "streams.yaml", "syncInterval": "2m"})
    dev.catalogue(HELD={"subjects": ["held"]})
    dev.up()
    return Rounds(dev, figures, engine_client)


def _play(rounds: Rounds, seeds: Iterator[int]) -> None:
    """All of it under a publisher; in the end every acknowledged message is there, and nothing twice."""
    with flooding(rounds.url, "held") as flood:
        flood.wait_for(500)
        rounds.undisturbed()
        for seed in seeds:
            rounds.killed(seed)
            flood.wait_for(len(flood.acknowledged) + 100)
    gc.collect()  # what nats.py has dropped, while it is this test's
    rounds.figures.acknowledged += len(flood.acknowledged)
    rounds.figures.count_lost({"HELD": sorted(flood.acknowledged - numbers(rounds.url, "HELD"))})
    name, engine_client = _name(rounds.project), rounds.engine_client
    assert [name] == [each.name for each in engine_client.containers.list(all=True, filters={"name": name})]
    rounds.project.destroy()
    assert [] == engine_client.volumes.list(filters={"name": name})


def test_kills_under_a_publisher(rounds: Rounds) -> None:
    """No acknowledged message is lost in a container change, killed or not, and one up is enough."""
    _play(rounds, iter(SEEDS))
    assert rounds.figures.faults == len(SEEDS), "a run was over before it was struck"


class TestExplore:
    """Moments that no run has seen."""

    pytestmark = explores()

    def test_docker_kills(self, rounds: Rounds) -> None:
        """As above, for longer."""
        _play(rounds, new_seeds(share=0.3))
