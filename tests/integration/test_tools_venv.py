"""The commands of the project in .venv/bin."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools.paths import ROOT
from tools.venv import write_commands


def test_the_command_runs_from_any_directory(tmp_path: Path) -> None:
    """`streams` finds its checkout, even under a path with spaces and quotes, and hands on the exit code."""
    checkout = tmp_path / 'it\'s a "checkout"'
    programs = checkout / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    shutil.copy(ROOT / "pyproject.toml", checkout)
    package = checkout / "provisioner" / "cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text("import sys\n\n\ndef main():\n    print(sys.argv[1:], __file__)\n    return 3\n")

    write_commands(checkout)
    ran = subprocess.run(
        [programs / "streams", "a b", "$x"], cwd="/", capture_output=True, text=True, timeout=30, check=False
    )

    assert (ran.returncode, ran.stderr) == (3, "")
    assert ran.stdout == f"['a b', '$x'] {package / 'main.py'}\n"


def test_another_checkouts_environment_is_not_emptied(tmp_path: Path) -> None:
    """A .venv that is a link has not been made for this checkout: it is refused, and what it leads to stays."""
    checkout, theirs = tmp_path / "checkout", tmp_path / "theirs"
    shutil.copytree(ROOT / "tools", checkout / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("provisioner", "pyproject.toml", "requirements.lock"):
        (checkout / name).symlink_to(ROOT / name)
    theirs.mkdir()
    (theirs / "pyvenv.cfg").touch()
    (checkout / ".venv").symlink_to(theirs)

    ran = subprocess.run(
        [sys.executable, "-m", "tools", "validate"],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ran.returncode
    assert f".venv is a link to {theirs}" in ran.stderr
    assert (theirs / "pyvenv.cfg").exists()
