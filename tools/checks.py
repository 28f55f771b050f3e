"""The checks that are several programs of .venv: lint, the quick tests, coverage."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

from tools.log import tell
from tools.paths import ROOT, VENV

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Check: TypeAlias = tuple[str, ...]

LINT: tuple[Check, ...] = (
    ("ruff", "check", "--quiet", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("mypy",),
    ("lint-imports",),
)
UNIT: Check = ("pytest", "--quiet", "--numprocesses=0", "tests/unit")

# Everything that can be wrong without a server being involved: its tests are cheap, so there is no excuse.
PURE = ("schema", "rules", "plan", "catalogue", "services", "watching", "units.py", "text.py")
PURE_FLOOR = 97  # percent
COVERED: Check = (
    "pytest",
    "--cov",
    "--cov-report=",
    "--cov-fail-under=0",
    "--durations=20",
)  # the floors come afterwards
# The floor of all rooms together is `fail_under` in pyproject.toml.
FLOORS: tuple[Check, ...] = (
    ("coverage", "report", "--skip-covered"),
    (
        "coverage",
        "report",
        f"--fail-under={PURE_FLOOR}",
        "--include=" + ",".join(f"provisioner/{room}" + ("" if room.endswith(".py") else "/*") for room in PURE),
    ),
)


def run_all(checks: Iterable[Check]) -> int:
    """Run the checks two at a time; the output of each stays together, and its last line is enough of a success.

    Returns:
        The worst exit code: all of them run, even when the first finds something.
    """
    with ThreadPoolExecutor(max_workers=2) as workers:
        return max(map(_report, workers.map(_run, checks)))


def run(check: Check, environment: Mapping[str, str] | None = None) -> int:
    """Run one check, its output as it comes; its exit code."""
    tell(f"$ {' '.join(check)}")
    return subprocess.run(_command(check), check=False, cwd=ROOT, env=environment or os.environ).returncode


def _run(check: Check) -> tuple[Check, subprocess.CompletedProcess[str]]:
    done = subprocess.run(
        _command(check), check=False, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return check, done


def _report(result: tuple[Check, subprocess.CompletedProcess[str]]) -> int:
    check, done = result
    tell(f"$ {' '.join(check)}")
    lines = done.stdout.splitlines()
    print(*(lines if done.returncode else lines[-1:]), sep="\n", end="\n" if lines else "", flush=True)
    return done.returncode


def _command(check: Check) -> list[str]:
    return [str(VENV / "bin" / check[0]), *check[1:]]
