"""Timings -> one table of seconds and ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Final

from rich import box
from rich.table import Table

from benchmarks import direct
from benchmarks.projects import NoOps, Spent, Stack
from benchmarks.steps import STEPS, Timing

AIM: Final = 1.2
_HEADINGS: Final = ("stack, s", "no-op, s", "ratio", "ratio of CPU", "nats-py, s")


def table(timings: Sequence[Timing]) -> Table:
    """Medians over the runs; a ratio above the aim is marked."""
    drawn = Table(box=box.MARKDOWN)
    drawn.add_column("streams", justify="right")
    drawn.add_column("step")
    for heading in _HEADINGS:
        drawn.add_column(heading, justify="right")
    for size in dict.fromkeys(timing.size for timing in timings):
        for step in STEPS:
            chosen = [timing for timing in timings if (timing.size, timing.step) == (size, step.name)]
            drawn.add_row(str(size), step.name, *_cells(chosen))
    return drawn


def _cells(timings: Sequence[Timing]) -> Iterator[str]:
    wall = _medians(timings, lambda spent: spent.wall)
    cpu = _medians(timings, lambda spent: spent.cpu)
    yield f"{wall[Stack.label]:.2f}"
    yield f"{wall[NoOps.label]:.2f}"
    yield _marked(wall[Stack.label] / wall[NoOps.label])
    yield _marked(cpu[Stack.label] / cpu[NoOps.label])
    yield f"{wall[direct.LABEL]:.3f}"


def _medians(timings: Sequence[Timing], figure: Callable[[Spent], float]) -> dict[str, float]:
    labels = {timing.contender for timing in timings}
    return {label: median(figure(t.spent) for t in timings if t.contender == label) for label in labels}


def _marked(ratio: float) -> str:
    return f"{'! ' if ratio > AIM else ''}{ratio:.2f}"
