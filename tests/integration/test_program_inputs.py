"""Settings and catalogue are read together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra import inputs
from infra.settings import SettingsError

ROOT = Path(__file__).resolve().parents[2]


def _problems(raw: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        inputs.read(raw, "dev", ())
    return str(caught.value).splitlines()


def test_a_missing_catalogue_is_told_with_the_other_settings(tmp_path: Path) -> None:
    """Nobody mends one setting to learn that another is wrong."""
    missing = tmp_path / "missing.yaml"

    assert _problems({"server": "process", "clientPort": "x", "catalogue": str(missing)}) == [
        "settings of stack dev: clientPort: 'x' is not a port; write a number from 1 to 65535",
        f"settings of stack dev: catalogue: there is no file {missing}; a relative path starts at the project's root",
    ]


def test_problems_of_the_catalogue_are_told_with_those_of_the_settings(tmp_path: Path) -> None:
    """Those of the catalogue keep their file and line."""
    catalogue = tmp_path / "streams.yaml"
    catalogue.write_text("A:\n  subjects: [a]\n  max_age: 7 days\n")

    settings_problem, catalogue_problem = _problems({"server": "proces", "catalogue": str(catalogue)})

    assert settings_problem.startswith("settings of stack dev: server: 'proces' is none of")
    assert catalogue_problem.startswith(f"{catalogue}:3: A.max_age: ")


def test_both_are_returned(tmp_path: Path) -> None:
    """Without a problem the settings and the streams come back."""
    catalogue = tmp_path / "streams.yaml"
    catalogue.write_text("A: {subjects: [a]}\n")

    settings, streams = inputs.read({"server": "process", "catalogue": str(catalogue)}, "dev", ())

    assert (settings.catalogue, [spec.name for spec in streams.streams]) == (catalogue, ["A"])


def test_a_program_that_the_engine_interrupts_says_nothing() -> None:
    """The engine has told why it ends the run; a traceback would bury that."""
    interrupted = (
        "import os, signal, time; from infra import program;"
        "program.announce_program = lambda: (os.kill(os.getpid(), signal.SIGINT), time.sleep(9)); program.deploy()"
    )
    ran = subprocess.run([sys.executable, "-c", interrupted], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (32, "", "") == (ran.returncode, ran.stdout, ran.stderr)
