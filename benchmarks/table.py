"""Timings -> a table of ratios, and one of what each step costs as the number of streams grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import Final

from rich import box
from rich.table import Table

from benchmarks import direct
from benchmarks.forecast import SUBJECTS, Forecast
from benchmarks.processes import Spent
from benchmarks.projects import NoOps, Stack
from benchmarks.steps import STEPS, Timing

AIM: Final = 1.2
_HEADINGS: Final = ("stack, s", "no-op, s", "ratio", "ratio of CPU", "nats-py, s")


def ratios(timings: Sequence[Timing]) -> Table:
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


def growth(timings: Sequence[Timing]) -> Table:
    """What the stack takes, and what each step's processes have in memory together."""
    drawn, own = Table(box=box.MARKDOWN), [timing for timing in timings if timing.contender == Stack.label]
    sizes = list(dict.fromkeys(timing.size for timing in own))
    drawn.add_column("step")
    for size in sizes:
        drawn.add_column(f"{size:,} streams", justify="right")
    for step in dict.fromkeys(timing.step for timing in own):
        chosen = [[t.spent for t in own if (t.step, t.size) == (step, size)] for size in sizes]
        drawn.add_row(step, *(_cost(spent) for spent in chosen))
    return drawn


def forecasts(measured: Iterable[Forecast]) -> Table:
    """What a preview takes that counts what a change would delete."""
    drawn = Table("messages", "subjects", "preview", box=box.MARKDOWN)
    for each in measured:
        drawn.add_row(f"{each.messages:,}", f"{SUBJECTS if each.messages else 0:,}", _cost([each.spent]))
    return drawn


def _cost(spent: Sequence[Spent]) -> str:
    seconds, memory = median(s.wall for s in spent), median(s.memory for s in spent)
    return f"{seconds:.2f} s, {memory / 1e6:.0f} MB"


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
