"""Kills a running engine, as a power cut or the kernel's out-of-memory killer would."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Project

_DEADLINE = 180.0


def killed(project: Project, *arguments: str, after: float, orphans: bool, **environment: str) -> bool:
    """Start pulumi, and kill -9 it after some seconds; False if it was done by then.

    Args:
        project: the stack.
        arguments: pulumi's.
        after: seconds.
        orphans: its plugins, which have process groups of their own, are left to end by themselves.
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
        engine.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(engine.pid, signal.SIGKILL)
        engine.wait(_DEADLINE)
        return True
    finally:
        _end_session(engine.pid, patience=_DEADLINE if orphans else 0.0)
    return False


def _end_session(session: int, patience: float) -> None:
    """Wait for what is left of a session, and kill it."""
    deadline = time.monotonic() + patience
    while _members(session) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in _members(session):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _members(session: int) -> list[int]:
    return [int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _session(stat) == session]


def _session(stat: Path) -> int:
    """A process's session; a process that has just ended has none."""
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[3])
    except (FileNotFoundError, ProcessLookupError):
        return 0
