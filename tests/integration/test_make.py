"""The Makefile, run by a real make; Python is stood in for by a program that writes down what it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.paths import ROOT

ODD = [
    "x'y",
    "$(id)",
    "$(shell touch made)",
    "`touch made`",
    "a;touch made",
    "a b",
    '"',
    "$$HOME",
    "#",
    "\\",
    "-n",
    "é",
]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A stand-in for Python that prints its folder, its arguments and make's variables."""
    program = tmp_path / "python"
    names = "('TOOLS_STACK', 'TOOLS_ARGS', 'TOOLS_MINUTES')"
    facts = f"[os.getcwd(), sys.argv[1:], *map(os.environ.get, {names})]"
    program.write_text(f"#!{sys.executable}\nimport json, os, sys\nprint(json.dumps({facts}))\n")
    program.chmod(0o755)
    return program


def _make(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # A make that runs the tests hands its own variables down.
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "TOOLS_"))}
    return subprocess.run(
        ["make", "--silent", *words],
        cwd=cwd,
        env=plain | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("where", ["command line", "environment"])
def test_values_arrive_letter_for_letter(python: Path, tmp_path: Path, where: str, text: str) -> None:
    """Neither make nor a shell reads what is in STACK, ARGS and MINUTES, wherever they come from."""
    names = ("STACK", "ARGS", "MINUTES")
    words = [f"{name}={text}" for name in names] if where == "command line" else []
    variables = {} if words else dict.fromkeys(names, text)

    ran = _make("-f", str(ROOT / "Makefile"), f"PYTHON={python}", "up", *words, cwd=tmp_path, **variables)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout) == [str(ROOT), ["-m", "tools", "up"], text, text, text]
    assert not list(tmp_path.rglob("made"))
    assert not (ROOT / "made").exists()


def test_the_makefile_is_found_from_another_directory(python: Path, tmp_path: Path) -> None:
    """`make -f` runs in the Makefile's folder, even when its path has spaces."""
    checkout = tmp_path / "a  checkout (of mine)"
    checkout.mkdir()
    (checkout / "Makefile").write_text((ROOT / "Makefile").read_text())

    for words, cwd in ((["-f", str(checkout / "Makefile")], Path("/")), ([], checkout), (["-f", "Makefile"], checkout)):
        ran = _make(*words, f"PYTHON={python}", "lint", cwd=cwd)
        assert json.loads(ran.stdout)[:2] == [str(checkout), ["-m", "tools", "lint"]]


@pytest.mark.parametrize("stack", ["x'y", "$(id)", "$(shell touch made)", "a;b", "../dev", "-"])
def test_a_name_that_no_stack_can_have_is_one_line(stack: str, tmp_path: Path) -> None:
    """The real tools refuse it, in one line, before any stack is touched."""
    ran = _make("-f", str(ROOT / "Makefile"), f"PYTHON={sys.executable}", "status", f"STACK={stack}", cwd=tmp_path)

    assert ran.returncode != 0
    assert f"error: {stack!r} is no stack name: " in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["ARGS='open"], 'error: ARGS: "\'open" cannot be split into words: No closing quotation'),
        (["MINUTES=soon"], "error: MINUTES: 'soon' is not a number of minutes"),
    ],
)
def test_values_of_no_use_are_one_line(words: list[str], line: str, tmp_path: Path) -> None:
    """An open quotation mark or a wrong number is said before anything is set up."""
    ran = _make("-f", str(ROOT / "Makefile"), f"PYTHON={sys.executable}", "explore", *words, cwd=tmp_path)

    assert (ran.stderr.splitlines()[0], "Traceback" in ran.stderr) == (line, False)


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """`make help | head -1` ends quietly, with the code that a shell has for it."""
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-m", "tools", "--help"]
    with subprocess.Popen(command, cwd=ROOT, env=buffered, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        assert ran.stdout
        assert ran.stderr
        ran.stdout.close()

        assert (ran.stderr.read(), ran.wait(30)) == (b"", 141)
