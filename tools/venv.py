"""The Python environment .venv: the locked packages, and the commands of pyproject.toml."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shlex
import sys
import tomllib
from typing import TYPE_CHECKING

from tools.log import tell
from tools.paths import ROOT, VENV, locked
from tools.subprocesses import ToolError, run

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = VENV / "bin" / "python"
RUN = "requirements.lock"
DEVELOP = "requirements-dev.lock"  # includes the other
CREATE_TIMEOUT_S = 120.0
INSTALL_TIMEOUT_S = 900.0  # a slow network needs a few minutes for the 100 MB
_STAMP = VENV / "installed.json"
# Read by a shell first: a path in a first line may not hold spaces, nor be long. Python then skips the string.
_COMMAND = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
import sys

sys.path.insert(0, {root!r})
from {module} import {function}

sys.exit({function}())
"""


def ensure(lock: str) -> None:
    """Make .venv hold what a lock file lists; nothing is done when it does already.

    Args:
        lock: RUN or DEVELOP.

    Raises:
        ToolError: Python lacks a part, or a package cannot be installed.
    """
    with locked(ROOT / RUN):
        stamps = _stamps()
        if stamps.get(lock) != fingerprint(ROOT / lock):
            if not stamps:
                _create()
            tell(f"Installing the Python packages of {lock} into .venv")
            pip_install("pip install", "--no-deps", "--require-hashes", "--requirement", ROOT / lock)
            _STAMP.write_text(json.dumps(stamps | {lock: fingerprint(ROOT / lock), "place": str(VENV)}))
        write_commands(ROOT)


def fingerprint(lock: Path) -> str:
    """Return what an installation depends on."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def write_commands(root: Path) -> None:
    """Write the commands that a checkout's pyproject.toml names into its .venv/bin.

    No build and no build backend is needed to run from a checkout, and the checkout may be edited.
    """
    entries = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]
    python = shlex.quote(str(root / ".venv" / "bin" / "python"))
    for name, entry in entries.items():
        module, _, function = entry.partition(":")
        text = _COMMAND.format(python=python, root=str(root), module=module, function=function)
        _write_program(root / ".venv" / "bin" / name, text)


def pip_install(title: str, *words: str | Path) -> None:
    """Run ``pip install`` of .venv.

    Raises:
        ToolError: a package cannot be had.
    """
    quiet = ("--quiet", "--disable-pip-version-check")
    run(title, [PYTHON, "-m", "pip", "install", *quiet, *words], timeout=INSTALL_TIMEOUT_S, cwd=ROOT)


def _stamps() -> dict[str, str]:
    """Return what was installed; a folder that was moved or copied is of no use and counts as empty."""
    try:
        stamps: dict[str, str] = json.loads(_STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamps if PYTHON.exists() and stamps.get("place") == str(VENV) else {}


def _create() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise ToolError(
            f"{sys.executable} has no {' and no '.join(missing)}: install it"
            f" (Debian, Ubuntu: apt install python{sys.version_info.major}.{sys.version_info.minor}-venv)",
        )
    if VENV.is_symlink():
        raise ToolError(
            f".venv is a link to {VENV.resolve()}, which would be emptied: remove the link, make sets up its own"
        )
    tell(f"Making .venv with Python {sys.version.split()[0]}")
    run("python -m venv", [sys.executable, "-m", "venv", "--clear", VENV], timeout=CREATE_TIMEOUT_S, cwd=ROOT)


def _write_program(file: Path, text: str) -> None:
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
        file.chmod(0o755)
