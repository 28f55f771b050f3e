"""A copy of this checkout in which `make` and the shell's commands really run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.ports import free_port
from tools.venv import RUN, fingerprint, write_commands

ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 180.0
# The ports of the two stacks in the documents.
_PORTS = ("4222", "8222", "4223", "8223")
_PARTS = (
    "infra",
    "provisioner",
    "tools",
    "Makefile",
    "Pulumi.yaml",
    "__main__.py",
    "pyproject.toml",
    "requirements.txt",
    RUN,
)


_MAKE_VARIABLES = {"MAKELEVEL", "MAKEFLAGS", "MFLAGS", "MAKE_TERMERR", "MAKE_TERMOUT"}


@dataclass(frozen=True)
class Checkout:
    """A folder with the stack ``local``; the ports that the documents name stand for free ones."""

    folder: Path
    environment: dict[str, str]
    ports: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.ports['4222']}"

    def run(self, command: str) -> tuple[int, list[str]]:
        """A shell command as a user types it: its exit code and its lines."""
        ran = subprocess.run(
            ["bash", "-c", self._own(command)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        return ran.returncode, self._usual(ran.stdout).splitlines()

    def succeed(self, command: str) -> None:
        """Run a command that prepares an example."""
        code, lines = self.run(command)
        assert code == 0, "\n".join(lines)

    def take_down(self, stack: str) -> None:
        """Destroy a stack; what was restored or forgotten is the stack's again after an up, not before."""
        up, destroy = (f"PULUMI_CONFIG_PASSPHRASE=secret make {command} STACK={stack}" for command in ("up", "destroy"))
        code, lines = self.run(destroy)
        if code:
            print(*lines, *self.run(f"{up} && {destroy}")[1], sep="\n")  # noqa: T201 - pytest shows it with a failure

    def servers(self) -> list[int]:
        """The pids of the servers that run with a configuration of this checkout."""
        commands = {file: _read(file) for file in Path("/proc").glob("[0-9]*/cmdline")}
        return [int(file.parent.name) for file, command in commands.items() if f"-c\0{self.folder}/" in command]

    def write(self, name: str, text: str) -> None:
        """Write a file that an example uses."""
        (self.folder / name).write_text(self._own(text))

    def edit(self, old: str, new: str) -> None:
        """Change the catalogue; the old text must be there."""
        file = self.folder / "infra/streams.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))

    def _own(self, text: str) -> str:
        return _replaced(text, self.ports)

    def _usual(self, text: str) -> str:
        return _replaced(text, {own: usual for usual, own in self.ports.items()}).replace(f"{self.folder}/", "")


def _read(cmdline: Path) -> str:
    """A process's command line; one that has just ended has none."""
    try:
        return cmdline.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _replaced(text: str, ports: Mapping[str, str]) -> str:
    return re.sub(r"\b\d{4,5}\b", lambda number: ports.get(number[0], number[0]), text)


def checkout(folder: Path, engine: dict[str, str]) -> Checkout:
    """Copy what a user works with; .venv is this run's, under the copy's name."""
    for name in _PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder / name)
    _link_venv(folder / ".venv")
    write_commands(folder)
    own = {
        "PATH": os.pathsep.join([str(folder / ".venv" / "bin"), engine["PATH"]]),
        "PULUMI_HOME": str(folder.parent / "home"),
        "PULUMI_STACK": "local",
    }
    # The tests may run under make themselves; a make below it would say `make[1]`.
    outside = {name: value for name, value in engine.items() if name not in _MAKE_VARIABLES}
    copy = Checkout(folder, outside | own, {port: str(free_port()) for port in _PORTS})
    copy.environment["NATS_URL"] = copy.url
    copy.environment["NATS_MONITOR_URL"] = f"http://127.0.0.1:{copy.ports['8222']}"
    copy.write("Pulumi.local.yaml", _settings("Pulumi.local.yaml"))
    return copy


def _link_venv(venv: Path) -> None:
    """Link everything but the commands, which are the copy's own."""
    programs = venv / "bin"
    programs.mkdir(parents=True)
    prefix = Path(sys.prefix)
    for path in [*prefix.iterdir(), *(prefix / "bin").iterdir()]:
        if path.name not in {"bin", "installed.json", "streams"}:
            (venv / path.relative_to(prefix)).symlink_to(path)
    (venv / "installed.json").write_text(json.dumps({RUN: fingerprint(ROOT / RUN), "place": str(venv)}))


def _settings(name: str) -> str:
    """The committed settings, with the default ports written down."""
    settings = yaml.safe_load((ROOT / name).read_text())
    ports = {"prediction-streams:clientPort": "4222", "prediction-streams:monitorPort": "8222"}
    return yaml.safe_dump({**settings, "config": {**settings["config"], **ports}})
