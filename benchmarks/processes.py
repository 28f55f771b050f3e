"""What a command takes, with every process that it starts."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_TIMEOUT_S: Final = 900.0  # for one command
_LOOK_EVERY_S: Final = 0.1  # often enough to see a peak, and no load to speak of
_LAST_LINES: Final = 20


class BenchmarkError(Exception):
    """What was to be measured did not work."""


@dataclass(frozen=True)
class Spent:
    """What something took, not counting the NATS server's share.

    Attributes:
        wall: seconds by the clock.
        cpu: seconds of the processors.
        memory: the most that its processes had in memory together, in bytes; pages that they share count for each.
    """

    wall: float
    cpu: float
    memory: int = 0


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Spent:
    """Run one command to its end.

    Raises:
        BenchmarkError: it failed or took too long, with its last words.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        started, used = time.perf_counter(), _children()
        try:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        except OSError as error:
            raise BenchmarkError(f"{command[0]}: {error.strerror}; run make setup") from error
        with _ended(process), _peak(process.pid) as peak:
            code = _code(process, command)
        spent = Spent(time.perf_counter() - started, _children() - used, peak[0])
        if code:
            output.seek(0)
            last = output.read().splitlines()[-_LAST_LINES:]
            raise BenchmarkError("\n".join([f"{' '.join(command)}: exit code {code}", *last]))
    return spent


def _code(process: subprocess.Popen[bytes], command: Sequence[str]) -> int:
    try:
        return process.wait(_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"{' '.join(command)}: not done within {_TIMEOUT_S:.0f} s") from None


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _peak(pid: int) -> Iterator[list[int]]:
    """The most memory that a process and its descendants have had so far, in bytes."""
    peak, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(_LOOK_EVERY_S):
            peak[0] = max(peak[0], _memory(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _memory(pid: int) -> int:
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
    return total


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
