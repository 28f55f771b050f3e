"""Rounds of faults in a stack's cluster: a fault, perhaps in the middle of an up, then one up that mends it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from provisioner.jetstream.client import JetStream
from tests.support.faults.figures import PROPERTY, Figures, Record
from tests.support.faults.nodes import FAULTS, Nodes
from tests.support.faults.publisher import Publisher
from tests.support.requests import recorded

if TYPE_CHECKING:
    from tests.e2e.conftest import Project, Result

QUIET: Final = "while nothing is done"
UPDATE: Final = "while streams are updated"
CARRY: Final = "while streams are carried over"
ROLL: Final = "while a change is rolled out"
# A pause without an up is nothing to be mended. A node that a roll has just started again, and whose folder then goes,
# has not lost its disk: its files are still open.
_WHEN: Final = {
    "a node is paused": (UPDATE, ROLL),
    "a node loses its folder": (QUIET, UPDATE),
    "a node is killed, another paused": (UPDATE, ROLL),
    "a node is killed, another loses its folder": (QUIET, UPDATE),
}
_MOMENT_S: Final = 60.0
_POLL_S: Final = 0.005
_LONGEST_PAUSE_S: Final = 8.0
_MOMENTS: Final = 3  # the first, second or third request, or node
_CARRY_MOMENTS: Final = 20  # of the requests that three carries take
_REQUESTS: Final = {UPDATE: "$JS.API.STREAM.UPDATE.*", CARRY: "$JS.API.STREAM.*.*"}


@dataclass(frozen=True)
class Round:
    """What happens in one.

    Attributes:
        fault: of ``FAULTS``.
        during: what the stack does meanwhile.
        seed: of whatever else is drawn.
    """

    fault: str
    during: str
    seed: int = 0

    @staticmethod
    def drawn(seed: int) -> Round:
        """A round of a seed."""
        chance = Random(seed)  # noqa: S311 - to be repeated, not to be kept secret
        fault = chance.choice([*FAULTS])
        return Round(fault, chance.choice(_WHEN.get(fault, (QUIET, UPDATE, ROLL))), seed)


@dataclass
class Tally:
    """What became of one kind of round."""

    rounds: int = 0
    failed_ups: int = 0
    longest_gap: float = 0.0

    def __str__(self) -> str:
        return (
            f"rounds {self.rounds}, ups that failed meanwhile {self.failed_ups}, longest gap {self.longest_gap:.2f} s"
        )


@dataclass
class Rounds:
    """A stack, and who publishes to it.

    Attributes:
        streams: stream -> subject.
        edits: how often the catalogue was changed.
        retention: of every stream.
        tallies: by what happened.
    """

    project: Project
    nodes: Nodes
    publisher: Publisher
    client: JetStream
    figures: Figures
    streams: Mapping[str, str]
    edits: int = 0
    retention: str = "limits"
    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def play(self, what: Round) -> None:
        """One fault, then one up: it succeeds, and nothing acknowledged is missing."""
        chance, start = Random(what.seed), time.time()  # noqa: S311 - to be repeated, not to be kept secret
        tally = self.tallies[f"{what.fault} {what.during}"]
        print(f"{what}")  # noqa: T201 - pytest shows it with a failure
        said = self._strike(what, chance)
        assert said is None or "Traceback" not in said.text, said.text
        self.figures.faults += 1
        tally.rounds += 1
        tally.failed_ups += said is not None and said.code != 0
        self.project.up()
        self.figures.converged += 1
        self.publisher.wait_for_more()
        tally.longest_gap = max(tally.longest_gap, self.publisher.gap_since(start))
        self.figures.count_lost({name: self.publisher.missing(self.client, name) for name in self.streams})

    def record(self, record_property: Record) -> None:
        """Hand the tallies to the summary."""
        for name, tally in self.tallies.items():
            print(f"{name}: {tally}")  # noqa: T201 - with `-s` while it runs
            record_property(PROPERTY, f"{name}: {tally}")

    def _strike(self, what: Round, chance: Random) -> Result | None:
        """What the up said that was hit, where there was one."""
        fault = FAULTS[what.fault]
        if what.during == QUIET:
            fault(self.nodes, chance)()
            return None
        moments = _CARRY_MOMENTS if what.during == CARRY else _MOMENTS
        moment, pause_s = chance.randint(1, moments), chance.uniform(1, _LONGEST_PAUSE_S)
        with ExitStack() as stack:
            executor = stack.enter_context(ThreadPoolExecutor(1))
            asked = _REQUESTS.get(what.during)
            requests = stack.enter_context(recorded(self.client, asked)) if asked else []
            before = self.nodes.pids()
            reached = self._changing(what.during, before, requests)
            running = executor.submit(self.project.pulumi, "up", "--yes", "--skip-preview")
            at_work = _await(lambda: reached() >= moment, running)
            undo = fault(self.nodes, chance)
            with suppress(TimeoutError):
                running.result(pause_s)  # how long a pause is; what else there is, it only waits for
            undo()
            # How many requests a carry takes depends on what it meets.
            assert at_work or what.during == CARRY, f"{what}: the up was over before its moment"
            return running.result()

    def _changing(self, during: str, before: list[int | None], requests: list[str]) -> Callable[[], int]:
        """Make a change that the next up carries out; tells how far it is."""
        self.edits += 1
        if during == CARRY:
            self.retention = "workqueue" if self.retention == "limits" else "limits"
        if during in _REQUESTS:
            self.describe()
            return lambda: len(requests)
        interval = "2m" if self.project.settings.get("syncInterval") != "2m" else "3m"
        self.project.configure(**{**self.project.settings, "syncInterval": interval})
        return lambda: sum(now is not None and now != then for now, then in zip(self.nodes.pids(), before, strict=True))

    def describe(self) -> None:
        """Write the catalogue, its descriptions saying how often."""
        streams: dict[str, dict[str, Any]] = {
            name: {"subjects": [subject], "description": f"edit {self.edits}", "retention": self.retention}
            for name, subject in self.streams.items()
        }
        self.project.catalogue(**streams)


def _await(condition: Callable[[], bool], running: Future[Result]) -> bool:
    """Wait until it holds; False if what runs has ended before."""
    deadline = time.monotonic() + _MOMENT_S
    while not condition():
        if running.done() or time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)  # between two looks
    return True
