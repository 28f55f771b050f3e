"""The steps that are measured, each by every contender, one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from nats.js import JetStreamContext

from benchmarks import commands, direct
from benchmarks.estate import Estate
from benchmarks.processes import Spent
from benchmarks.projects import NoOps, Project, Stack
from tests.support.nats_server import running

Direct: TypeAlias = Callable[[Estate, JetStreamContext], Coroutine[Any, Any, None]]

_UP: Final = ("up", "--yes", "--skip-preview")
# The estates of a benchmark stay far below this; only reserved space counts.
_STORE: Final = "max_file_store: 64GB, max_mem: 64MB"


@dataclass(frozen=True)
class Step:
    """One thing a user does: a pulumi command, what nats-py does for it, and how the streams are to be."""

    name: str
    command: tuple[str, ...]
    direct: Direct
    estate: Callable[[int], Estate]


STEPS: Final = (
    Step("create all", _UP, direct.create, Estate),
    Step("preview, no change", ("preview", "--expect-no-changes"), direct.read, Estate),
    Step("change one", _UP, direct.update, lambda size: Estate(size, 1, days=6)),
    Step("change all", _UP, direct.update, lambda size: Estate(size, size, days=5)),
    Step("destroy", ("destroy", "--yes", "--skip-preview"), direct.delete, lambda size: Estate(size, size, days=5)),
)


@dataclass(frozen=True)
class Timing:
    """How long one contender took for one step."""

    size: int
    step: str
    contender: str
    spent: Spent


def measure(size: int, run: int, *, checkpoints: bool) -> Iterator[Timing]:
    """Do every step on a fresh server; neighbours in time are compared, so that a busy machine slows both.

    Raises:
        BenchmarkError: a step failed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        url = stack.enter_context(running(folder / "nats", jetstream=_STORE)).url
        yield from _engines(size, run, [kind(folder / kind.label, url, checkpoints) for kind in (Stack, NoOps)])
        yield from _plain(size, folder, url)  # the stack has destroyed its streams: the server is empty again


def _engines(size: int, run: int, projects: Sequence[Project]) -> Iterator[Timing]:
    for project in projects:
        project.make()
    for step in STEPS:
        for project in projects[:: -1 if run % 2 else 1]:
            project.describe(step.estate(size))
            yield Timing(size, step.name, project.label, project.pulumi(*step.command))


def _plain(size: int, folder: Path, url: str) -> Iterator[Timing]:
    """The steps by nats-py; while the streams are there, the commands that read them."""
    for step in STEPS:
        estate = step.estate(size)
        if step is STEPS[-1]:
            direct.spent(url, partial(direct.fill, estate))
            for name, spent in commands.measure(estate, folder, url):
                yield Timing(size, name, Stack.label, spent)
        yield Timing(size, step.name, direct.LABEL, direct.spent(url, partial(step.direct, estate)))
