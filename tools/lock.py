"""Lock files: requirements*.txt name what the project uses, the locks every package with its hashes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.log import tell
from tools.paths import ROOT
from tools.subprocesses import run
from tools.venv import pip_install

if TYPE_CHECKING:
    from collections.abc import Sequence

UV = ROOT / "tools" / "uv.txt"  # fetched only here, and large
# A lock file, and what it is made from. The second follows the first, so that tests run what users run.
LOCKS = (
    ("requirements.lock", ("requirements.txt",)),
    ("requirements-dev.lock", ("requirements-dev.txt", "--constraint", "requirements.lock")),
)
_COMPILE = ("pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes")
_TIMEOUT_S = 300.0


def write(options: Sequence[str]) -> None:
    """Write the lock files anew; what still fits stays as it is.

    Args:
        options: more options for ``uv pip compile``, such as ``--upgrade``.

    Raises:
        ToolError: the pins contradict each other, or the package index does not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        pip_install("fetching uv", "--no-deps", "--require-hashes", "--requirement", UV, "--target", folder)
        uv = Path(folder) / "bin" / "uv"
        for lock, sources in LOCKS:
            tell(f"Writing {lock}")
            command = [uv, *_COMPILE, *options, "--output-file", lock, *sources]
            run("uv pip compile", command, timeout=_TIMEOUT_S, cwd=ROOT, env=_environment())


def _environment() -> dict[str, str]:
    """Return an environment in which uv asks the index that pip is told to ask; the files do not name it."""
    index = os.environ.get("PIP_INDEX_URL")
    return {**os.environ, **({"UV_DEFAULT_INDEX": index} if index else {})}
