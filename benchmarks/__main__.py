"""``python -m benchmarks [--sizes 5,50,500] [--runs N] [--checkpoints] | --flow``: the tables go to standard output."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator

from rich.console import Console

from benchmarks import flow, forecast
from benchmarks.processes import BenchmarkError
from benchmarks.steps import Timing, measure
from benchmarks.table import forecasts, growth, ratios
from tools.subprocesses import ToolError

_LARGE = 100  # streams; from here on a run takes minutes, and one says enough


def main() -> int:
    """Measure, then print; a failure is told in plain words."""
    # A background job of a script ignores SIGINT and hands that on; Pulumi's plugins then take 5 s to end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped too
    asked = _parser().parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    if asked.flow:
        console.print(flow.table([*flow.measure()]))
        return 0
    try:
        timings, large = list(_measured(asked)), list(forecast.measure())
    except (BenchmarkError, ToolError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    for table in (ratios(timings), growth(timings), forecasts(large)):
        console.print(table)
    return 0


def _measured(asked: argparse.Namespace) -> Iterator[Timing]:
    for size in asked.sizes:
        runs = asked.runs or (1 if size >= _LARGE else 3)
        for run in range(runs):
            for timing in measure(size, run, checkpoints=asked.checkpoints):
                progress = f"{size:>4} streams, run {run + 1} of {runs}: {timing.step:<18} {timing.contender:<8}"
                sys.stderr.write(f"{progress} {timing.spent.wall:8.3f} s\n")
                yield timing


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, allow_abbrev=False)
    parser.add_argument("--sizes", type=_sizes, default=[5, 50, 500], help="numbers of streams, with commas between")
    parser.add_argument("--runs", type=_positive, help="runs of each size; default 3, and 1 from 100 streams on")
    parser.add_argument(
        "--checkpoints",
        action="store_true",
        help="let Pulumi save the state at each step, as it does where make does not say otherwise",
    )
    parser.add_argument("--flow", action="store_true", help="measure the services' message flow instead")
    return parser


def _sizes(text: str) -> list[int]:
    return [_positive(part) for part in text.split(",")]


def _positive(text: str) -> int:
    if not text.strip().isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
