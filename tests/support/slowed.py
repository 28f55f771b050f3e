"""A process that gets little time, so that a passing state of it can be looked at."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STOPPED_S, _RUNNING_S = 0.05, 0.005
# What it has to get of that, and how long it may take where others keep the processors busy.
_WORKED_S, _LONGEST_S = 0.001, 0.05


@contextmanager
def slowed(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop a process for most of the time; it runs on in the end, whatever happens."""
    done = threading.Event()
    thread = threading.Thread(target=_slow, args=(process, done))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _slow(process: subprocess.Popen[bytes], done: threading.Event) -> None:
    while not done.is_set():
        process.send_signal(signal.SIGSTOP)
        done.wait(_STOPPED_S)
        process.send_signal(signal.SIGCONT)
        _let_work(process.pid, done)


def _let_work(pid: int, done: threading.Event) -> None:
    """A moment; a longer one as long as the process waits for a processor."""
    until, before = time.monotonic() + _LONGEST_S, _worked(pid)
    done.wait(_RUNNING_S)
    while _worked(pid) < before + _WORKED_S and time.monotonic() < until:
        done.wait(_RUNNING_S)


def _worked(pid: int) -> float:
    """Seconds of processor time that it has had: Linux makes a process' clock of its number."""
    with suppress(OSError):
        return time.clock_gettime(~pid << 3 | 2)
    return 0.0
