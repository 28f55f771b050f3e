"""Runs other programs: a sign of life while they work, the end of their output when they fail."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from tools.log import LOGGER, tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

HEARTBEAT_S = 10.0  # between two signs of life
OUTPUT_LINES_SHOWN = 15  # of a failed program


class ToolError(Exception):
    """What went wrong and what to do, ready to be read by a user."""


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
    with tempfile.TemporaryFile("w+", errors="replace") as output, _logged(command) as result:
        process = _start(title, command, output, cwd, env)
        try:
            _watch(title, process, timeout)
        except TimeoutError as error:
            raise ToolError(f"{title}: {error}\n{_end_of(output)}") from None
        finally:
            _stop(process)
        result.append(process.returncode)
        if process.returncode:
            raise ToolError(f"{title}: failed, exit code {process.returncode}\n{_end_of(output)}")


def capture(command: Sequence[str | Path], *, timeout: float, cwd: Path, env: Mapping[str, str]) -> str:
    """Return what a quick program prints.

    Raises:
        ToolError: it cannot be started, failed or took longer than ``timeout`` seconds.
    """
    title = " ".join(map(str, command))
    with _logged(command) as result:
        try:
            done = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=timeout,
                cwd=cwd,
                env=env,
            )
        except subprocess.TimeoutExpired:
            raise ToolError(f"{title}: no answer within {timeout:.0f} s") from None
        except OSError as error:
            raise ToolError(f"{title}: {error.strerror}") from error
        result.append(done.returncode)
    if done.returncode:
        raise ToolError(f"{title}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@contextmanager
def _logged(command: Sequence[str | Path]) -> Iterator[list[int]]:
    """Log the command, its time and the exit code that the block appends; without one it was stopped."""
    line, exit_codes, started = shlex.join(map(str, command)), list[int](), time.monotonic()
    LOGGER.debug("%s: starts", line)
    try:
        yield exit_codes
    finally:
        outcome = f"exit code {exit_codes[0]}" if exit_codes else "not run to its end"
        LOGGER.info("%s: %s after %.2f s", line, outcome, time.monotonic() - started)


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
            start_new_session=True,  # so that a timeout ends its children as well
        )
    except OSError as error:
        raise ToolError(f"{title}: {command[0]}: {error.strerror}") from error


def _watch(title: str, process: subprocess.Popen[str], timeout: float) -> None:
    started = time.monotonic()
    while True:
        remaining = started + timeout - time.monotonic()
        if remaining <= 0:
            raise TimeoutError(f"stopped after {timeout:.0f} s")
        try:
            process.wait(min(HEARTBEAT_S, remaining))
        except subprocess.TimeoutExpired:
            tell(f"  {title}: {time.monotonic() - started:.0f} s ...")
        else:
            return


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end_of(output: IO[str]) -> str:
    output.seek(0)
    return "\n".join(f"    {line.rstrip()}" for line in output.readlines()[-OUTPUT_LINES_SHOWN:])
