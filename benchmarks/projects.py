"""Pulumi projects to measure: each with a folder, a home and a state of its own."""

from __future__ import annotations

import json
import os
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Final

from benchmarks.estate import Estate
from benchmarks.floor import PROPERTIES
from benchmarks.processes import Spent, run
from tools.pulumi import toolchain

ROOT: Final = Path(__file__).resolve().parents[1]
_STACK: Final = "bench"


@dataclass(frozen=True)
class Project(ABC):
    """A program with one stack against one server.

    Attributes:
        folder: Where it lives; nothing outside is written.
        url: The server's client URL.
        checkpoints: Whether Pulumi saves the state after every step, as it does unless told otherwise.
    """

    folder: Path
    url: str
    checkpoints: bool

    label: ClassVar[str]
    program: ClassVar[str]
    settings: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def describe(self, estate: Estate) -> None:
        """Write down the streams that the next command is about."""

    def make(self) -> None:
        """Write the project and start its stack."""
        (self.folder / "state").mkdir(parents=True)
        for name in ("infra", "provisioner", "tools", "benchmarks"):
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
        (self.folder / "__main__.py").write_text(self.program)
        config = {f"prediction-streams:{key}": value.format(url=self.url) for key, value in self.settings.items()}
        (self.folder / f"Pulumi.{_STACK}.yaml").write_text(json.dumps({"config": config}))
        self.pulumi("stack", "init", _STACK)

    def pulumi(self, *words: str, **variables: str) -> Spent:
        """Run one command to its end, with more environment variables.

        Raises:
            BenchmarkError: it failed or took too long, with its last words.
        """
        command = ["pulumi", *words, "--non-interactive", "--color=never"]
        return run(command, self.folder, self._environment() | variables)

    def _environment(self) -> dict[str, str]:
        own = {"PULUMI_HOME": f"{self.folder}/home", "PULUMI_BACKEND_URL": f"file://{self.folder}/state"}
        without = {} if self.checkpoints else {"PULUMI_SKIP_CHECKPOINTS": "true"}
        return environment() | own | without


class Stack(Project):
    """This project's own program."""

    label = "stack"
    program = "from infra.program import deploy\n\ndeploy()\n"
    settings: ClassVar = {"server": "external", "url": "{url}", "catalogue": "streams.yaml", "onDelete": "delete"}

    def describe(self, estate: Estate) -> None:
        (self.folder / "streams.yaml").write_text(estate.catalogue())


class NoOps(Project):
    """The same resources with a provider that does nothing."""

    label = "no-op"
    program = "from benchmarks.floor import deploy\n\ndeploy()\n"

    def describe(self, estate: Estate) -> None:
        (self.folder / PROPERTIES).write_text(json.dumps(estate.properties(self.url)))


@cache
def environment() -> dict[str, str]:
    """The user's environment without settings of Pulumi, and without those that slow Python down."""
    folders = [Path(sys.executable).parent, *filter(None, [toolchain.ensure()])]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # every run would compile the program again
    return kept | {
        "PATH": os.pathsep.join([*map(str, folders), kept.get("PATH", os.defpath)]),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
