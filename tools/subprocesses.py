"""Runs other programs: a sign of life while they work, their last words when they fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HEARTBEAT = 10.0  # seconds between two signs of life
LAST_WORDS = 15  # lines of a failed program's output that are shown


class ToolError(Exception):
    """What went wrong and what to do, ready to be read by a user."""


def say(line: str) -> None:
    """Print a line of progress, apart from what the command itself prints."""
    print(line, file=sys.stderr, flush=True)


def run(
    title: str,
    command: Sequence[str | Path],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end, its output kept back.

    Args:
        title: what it does, for the signs of life and the error.
        command: the program and its arguments.
        timeout: seconds until it is stopped, with all that it started.
        cwd: the folder to run in.
        env: its whole environment; the present one by default.

    Raises:
        ToolError: it cannot be started, failed or took too long.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = _start(title, command, output, cwd, env)
        try:
            _watch(title, process, timeout)
        except TimeoutError as error:
            raise ToolError(f"{title}: {error}\n{_last_words(output)}") from None
        finally:
            _stop(process)
        if process.returncode:
            raise ToolError(f"{title}: failed, exit code {process.returncode}\n{_last_words(output)}")


def capture(command: Sequence[str | Path], *, timeout: float, cwd: Path, env: Mapping[str, str]) -> str:
    """Return what a quick program prints.

    Raises:
        ToolError: it cannot be started, failed or took longer than ``timeout`` seconds.
    """
    title = " ".join(map(str, command))
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            cwd=cwd,
            env=env,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{title}: no answer within {timeout:.0f} s") from None
    except OSError as error:
        raise ToolError(f"{title}: {error.strerror}") from error
    if done.returncode:
        raise ToolError(f"{title}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _start(
    title: str,
    command: Sequence[str | Path],
    output: IO[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=env,
            start_new_session=True,  # so that a deadline ends its children as well
        )
    except OSError as error:
        raise ToolError(f"{title}: {command[0]}: {error.strerror}") from error


def _watch(title: str, process: subprocess.Popen[str], timeout: float) -> None:
    started = time.monotonic()
    while True:
        left = started + timeout - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"stopped after {timeout:.0f} s")
        try:
            process.wait(min(HEARTBEAT, left))
        except subprocess.TimeoutExpired:
            say(f"  {title}: {time.monotonic() - started:.0f} s ...")
        else:
            return


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last_words(output: IO[str]) -> str:
    output.seek(0)
    return "\n".join(f"    {line.rstrip()}" for line in output.readlines()[-LAST_WORDS:])
