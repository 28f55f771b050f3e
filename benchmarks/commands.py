"""The commands that read a server, each as a user starts it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.estate import Estate
from benchmarks.processes import Spent, run
from benchmarks.projects import ROOT, environment

_FILE: Final = "catalogue.yaml"
_COPIES: Final = "copies"
_URL: Final = ("--url", "{url}")
_CATALOGUE: Final = ("--catalogue", f"{{folder}}/{_FILE}")

COMMANDS: Final = {
    "validate": _CATALOGUE,
    "status": (*_CATALOGUE, *_URL, "--monitor-url", ""),
    "plan-loss": (*_CATALOGUE, *_URL),
    "import": _URL,
    "backup": ("--to", f"{{folder}}/{_COPIES}", *_URL),
}


def measure(estate: Estate, folder: Path, url: str) -> Iterator[tuple[str, Spent]]:
    """Run every command on the estate, which is on the server.

    Raises:
        BenchmarkError: a command failed.
    """
    (folder / _FILE).write_text(estate.catalogue())
    for name, options in COMMANDS.items():
        words = [option.format(folder=folder, url=url) for option in options]
        yield name, run([sys.executable, "-m", "provisioner", name, *words], ROOT, environment())
