"""Kills a running engine, as a power cut or the kernel's out-of-memory killer would."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Project

_EVENT_TIMEOUT_S = 60.0
_EXIT_TIMEOUT_S = 10.0  # for a killed process to be gone


@contextmanager
def killed(
    project: Project, *arguments: str, after: float | threading.Event, orphans: bool = False, **environment: str
) -> Iterator[bool]:
    """Start pulumi and kill -9 it after some seconds, or at an event; tells whether it was still at work.

    Args:
        project: the stack.
        arguments: pulumi's.
        after: seconds, or what is waited for.
        orphans: its plugins, which have process groups of their own, live on until the block's end.
        environment: more variables.
    """
    engine = subprocess.Popen(
        ["pulumi", *arguments, "--yes", "--skip-preview", "--non-interactive"],
        cwd=project.folder,
        env=project.environment | {"PULUMI_STACK": project.stack} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        at_work = _kill(engine, after)
        if not orphans:
            end_session(engine.pid)
        yield at_work
    finally:
        end_session(engine.pid)


def _kill(engine: subprocess.Popen[bytes], after: float | threading.Event) -> bool:
    seconds = after if isinstance(after, float) else 0.0
    if isinstance(after, threading.Event):
        assert after.wait(_EVENT_TIMEOUT_S), "the moment of the kill never came"
    try:
        engine.wait(seconds)  # the moment of the kill: it is the fault itself
    except subprocess.TimeoutExpired:
        os.killpg(engine.pid, signal.SIGKILL)
        engine.wait(_EXIT_TIMEOUT_S)
        return True
    return False


def end_session(session: int, words: bytes = b"") -> int:
    """Kill every process of a session whose command line has these words; how many there were."""
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if _session(stat) == session and words in _command_line(stat.parent):
            with suppress(ProcessLookupError):
                os.kill(int(stat.parent.name), signal.SIGKILL)
                count += 1
    return count


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _session(stat: Path) -> int:
    """A process's session; one that has just ended has none."""
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[3])
    except (FileNotFoundError, ProcessLookupError):
        return 0
