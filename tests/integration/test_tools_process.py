"""Programs are run with a deadline, a sign of life and their last words."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tools import subprocesses
from tools.subprocesses import ToolError, capture, run

HERE = Path(__file__).parent


def test_a_failure_shows_the_last_words() -> None:
    """The error has the exit code and the end of the output, not the whole of it."""
    script = "import sys; [print('line', n) for n in range(99)]; print('cause', file=sys.stderr); sys.exit(3)"

    with pytest.raises(ToolError) as caught:
        run("try", [sys.executable, "-u", "-c", script], timeout=30)

    lines = str(caught.value).splitlines()
    assert (lines[0], lines[-1].strip()) == ("try: failed, exit code 3", "cause")
    assert len(lines) == 1 + subprocesses.OUTPUT_LINES_SHOWN


def test_a_deadline_ends_the_program_and_its_children(tmp_path: Path) -> None:
    """A grandchild that would go on writing is stopped as well."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(ToolError, match=r"try: stopped after 1 s"):
            run("try", ["sh", "-c", f"sleep 60 >{fifo} & wait"], timeout=1)
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b""  # the end comes once no process holds the other side
    finally:
        os.close(reader)


def test_a_long_run_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Something is said while a program works, so that it does not look like a hang."""
    monkeypatch.setattr(subprocesses, "HEARTBEAT_S", 0.05)

    run("try", ["sleep", "0.3"], timeout=30)

    assert capsys.readouterr().err.startswith("  try: 0 s ...\n")


def test_a_program_that_is_missing_is_one_line() -> None:
    """The error names the program."""
    with pytest.raises(ToolError, match=r"^try: no-such-program: No such file or directory$"):
        run("try", ["no-such-program"], timeout=1)


def test_captured_output_comes_back_and_errors_carry_their_text() -> None:
    """A question's answer is returned; a refusal is raised with what was said."""
    assert capture(["echo", "yes"], timeout=30, cwd=HERE, env=os.environ) == "yes\n"
    with pytest.raises(ToolError, match="no: told so"):
        capture(["sh", "-c", "echo no: told so >&2; exit 1"], timeout=30, cwd=HERE, env=os.environ)
