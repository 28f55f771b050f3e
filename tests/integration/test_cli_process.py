"""The operator's command line as a program of its own: what it loads, and what becomes of its output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("package", "arguments"), [("yaml", ["validate"]), ("nats", ["status"]), ("rich", ["status"])])
def test_without_a_dependency(package: str, arguments: list[str]) -> None:
    """A Python without the packages gets one line that says what to do."""
    hide = f"import sys; sys.modules[{package!r}] = None"
    code = f"{hide}; from provisioner.cli.main import main; sys.exit(main({arguments}))"
    ran = _run("-c", code)
    assert 69 == ran.returncode
    assert (
        f"streams: {sys.executable} has no package {package}; run make setup, then use .venv/bin/streams\n"
        == ran.stderr
    )


def test_as_a_module() -> None:
    """``python -m provisioner`` is the same program."""
    ran = _run("-m", "provisioner", "validate")
    line = "infra/streams.yaml: 5 streams, 9 consumers, 18.5 GiB reserved\n"
    assert (0, line, "") == (ran.returncode, ran.stdout, ran.stderr)


@pytest.mark.parametrize(("target", "code"), [("/dev/full", 74), ("closed pipe", 141)])
def test_output_that_cannot_be_written(target: str, code: int) -> None:
    """A full disk is one line, a reader that went away is silent."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(target if code == 74 else writer, "wb") as output:  # noqa: PTH123 - a descriptor has no path
        ran = subprocess.run(
            [sys.executable, "-m", "provisioner", "schema"],
            cwd=ROOT, stdout=output, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    text = "streams: [Errno 28] No space left on device\n" if code == 74 else ""
    assert (code, text) == (ran.returncode, ran.stderr)


def test_validate_loads_neither_pulumi_nor_nats() -> None:
    """Checking a file works, quickly, where only PyYAML is installed."""
    code = (
        "import sys; from provisioner.cli.main import main; main(['validate']); "
        "print({'nats', 'pulumi', 'docker', 'rich'} & sys.modules.keys(), file=sys.stderr)"
    )
    ran = _run("-c", code)
    assert (ran.returncode, ran.stderr) == (0, "set()\n")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
