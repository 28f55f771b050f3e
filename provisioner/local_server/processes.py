"""Processes of this machine that outlive us, told apart from others that got their pid later.

A pid alone proves nothing: the kernel hands it out again. A process is known by its pid, the
time the kernel started it and the end of its command line together. Linux has them in /proc,
other systems in ``ps``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PROC: Final = Path("/proc")
POLL_INTERVAL_S: Final = 0.02
_LSTART_WIDTH: Final = len("Tue Nov 25 03:28:00 2026")


@dataclass(frozen=True)
class Process:
    """One process: its pid and when it started, in the kernel's own words."""

    pid: int
    started: str


def find(pid: int, command_end: str) -> Process | None:
    """The process of that pid whose command line ends so; ``None`` when there is none."""
    started, command = _read(pid)
    return Process(pid, started) if command.endswith(command_end) else None


def search(command_end: str) -> Process | None:
    """The process whose command line ends so, where its pid is not known; ``None`` when there is none."""
    return next((found for pid in _pids() if (found := find(pid, command_end))), None)


def is_alive(process: Process, command_end: str) -> bool:
    """Whether it is this very process that runs under its pid."""
    return find(process.pid, command_end) == process


def stop(process: Process, command_end: str, grace: float) -> bool:
    """SIGTERM, and SIGKILL after ``grace`` seconds; each only to this very process.

    Returns:
        Whether it is gone.
    """
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        send(process, command_end, signal_number)
        if wait(lambda: not is_alive(process, command_end), grace):
            return True
    return False


def send(process: Process, command_end: str, signal_number: signal.Signals) -> None:
    """Send a signal to this very process, to nobody when it is gone."""
    if is_alive(process, command_end):
        os.kill(process.pid, signal_number)


def wait(condition: Callable[[], bool], timeout: float) -> bool:
    """Ask until it holds or ``timeout`` seconds have passed; the last answer."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_INTERVAL_S)
    return True


def _pids() -> list[int]:
    if (PROC / "self/stat").exists():
        return [int(folder.name) for folder in PROC.glob("[0-9]*")]
    out = subprocess.run(["ps", "-ax", "-o", "pid="], capture_output=True, check=False, timeout=10).stdout
    return [*map(int, out.split())]


def _read(pid: int) -> tuple[str, str]:
    """The start time and the command line; nothing when there is no such process."""
    return _from_proc(pid) if (PROC / "self/stat").exists() else _from_ps(pid)


def _from_proc(pid: int) -> tuple[str, str]:
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")
        command = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return "", ""
    # The name, in parentheses, may hold spaces: count after it. Field 22 is the start time. A
    # process that has died but was not waited for has an empty command line.
    started = stat.rpartition(")")[2].split()[22 - 3]
    return started, " ".join(os.fsdecode(command).rstrip("\0").split("\0"))


def _from_ps(pid: int) -> tuple[str, str]:
    words = ["ps", "-ww", "-o", "lstart=,command=", "-p", str(pid)]
    environment = {**os.environ, "LC_ALL": "C"}
    out = subprocess.run(words, capture_output=True, check=False, env=environment, timeout=10).stdout
    line = os.fsdecode(out).strip()
    return line[:_LSTART_WIDTH], line[_LSTART_WIDTH:].strip()
