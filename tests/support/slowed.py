"""A process that gets little time, so that a passing state of it can be looked at."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STOPPED_S, _RUNNING_S = 0.05, 0.005


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
        done.wait(_RUNNING_S)
