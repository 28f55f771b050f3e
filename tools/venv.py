"""The Python environment .venv, from the pinned requirements."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from typing import TYPE_CHECKING

from tools.paths import ROOT, VENV, locked
from tools.subprocesses import ToolError, run, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PYTHON = VENV / "bin" / "python"
RUN = ("requirements.txt",)
DEVELOP = ("requirements.txt", "requirements-dev.txt")
INSTALL_DEADLINE = 900.0  # seconds; a slow network needs a few minutes for the 100 MB
_STAMP = VENV / "installed.json"


def ensure(names: Sequence[str]) -> None:
    """Make .venv hold what these files ask for; nothing is done when it does already.

    Args:
        names: RUN or DEVELOP. The last of them includes the others.

    Raises:
        ToolError: Python lacks a part, or a package cannot be installed.
    """
    with locked(ROOT / names[0]):
        stamps = _stamps()
        wanted = fingerprint({name: (ROOT / name).read_bytes() for name in names})
        if stamps.get(names[-1]) != wanted:
            if not stamps:
                _create()
            say(f"Installing the Python packages of {names[-1]} into .venv")
            pip_install("pip install", "--requirement", ROOT / names[-1])
            _STAMP.write_text(json.dumps(stamps | {names[-1]: wanted, "place": str(VENV)}))


def fingerprint(files: Mapping[str, bytes]) -> str:
    """Return what an installation depends on: the requirements, each with its name."""
    parts = (part for name, text in files.items() for part in (name.encode(), text))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stamps() -> dict[str, str]:
    """Return what was installed; a folder that was moved or copied is of no use and counts as empty."""
    try:
        found: dict[str, str] = json.loads(_STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if PYTHON.exists() and found.get("place") == str(VENV) else {}


def _create() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise ToolError(
            f"{sys.executable} has no {' and no '.join(missing)}: install it"
            f" (Debian, Ubuntu: apt install python{sys.version_info.major}.{sys.version_info.minor}-venv)",
        )
    say(f"Making .venv with Python {sys.version.split()[0]}")
    run("python -m venv", [sys.executable, "-m", "venv", "--clear", VENV], timeout=120, cwd=ROOT)


def pip_install(title: str, *words: str | Path) -> None:
    """Run ``pip install`` of .venv.

    Raises:
        ToolError: a package cannot be had.
    """
    quiet = ("--quiet", "--disable-pip-version-check")
    run(title, [PYTHON, "-m", "pip", "install", *quiet, *words], timeout=INSTALL_DEADLINE, cwd=ROOT)
