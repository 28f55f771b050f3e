"""The folder a nats-server of ours lives in, and the record of who runs there.

The folder holds everything of it: ``nats.conf``, ``nats.log``, ``data/`` and ``server.json``.
That record is how a later run finds the server again even when Pulumi's state was lost, and
never a process that only inherited its pid.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from provisioner.local_server import processes
from provisioner.local_server.processes import Process

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The folder of one server."""

    folder: Path

    @property
    def config(self) -> Path:
        """The server's configuration, which also names it on its command line."""
        return self.folder / "nats.conf"

    @property
    def log(self) -> Path:
        """All the server says."""
        return self.folder / "nats.log"

    @property
    def data(self) -> Path:
        """JetStream's ``store_dir``."""
        return self.folder / "data"

    @property
    def record(self) -> Path:
        """Who runs here."""
        return self.folder / "server.json"

    @property
    def command_end(self) -> str:
        """How the command line of this folder's server ends."""
        return f" -c {self.config}"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server of ours, as the record or Pulumi's state remembers it.

    Attributes:
        home: Its folder.
        owner: Whose it is; another stack keeps away.
        data_made: When its data folder was made; another time is other data.
        host: The address its ports listen on.
        ports: The ports it holds.
        process: The process; ``None`` before the first start.
    """

    home: Home
    owner: str
    data_made: str
    host: str
    ports: tuple[int, ...]
    process: Process | None = None

    def is_alive(self) -> bool:
        """Whether this very process runs."""
        return self.process is not None and processes.is_alive(self.process, self.home.command_end)

    def listens(self, host: str, port: int) -> bool:
        """Whether it holds that port."""
        return host == self.host and port in self.ports


def read(home: Home) -> Server | None:
    """The server the record names; ``None`` without a record that can be read."""
    try:
        said = json.loads(home.record.read_text())
        process = said["process"] and Process(**said["process"])
        return Server(**{**said, "home": home, "ports": tuple(said["ports"]), "process": process})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(server: Server) -> None:
    """Write the record."""
    said = {key: value for key, value in asdict(server).items() if key != "home"}
    replace_file(server.home.record, json.dumps(said, indent=2) + "\n")


def replace_file(file: Path, text: str) -> None:
    """Write a file so that nobody ever reads half of it."""
    half = file.with_name(f"{file.name}.new")
    half.write_text(text)
    half.replace(file)


def read_config(home: Home) -> str:
    """The configuration's text; empty when it, or the data it describes, is gone."""
    try:
        return home.config.read_text() if home.data.is_dir() else ""
    except OSError:
        return ""


def remove(home: Home) -> None:
    """Remove what the server left in its folder, and the folder unless there is more in it."""
    if not read(home):  # without a record the data may be anybody's
        return
    shutil.rmtree(home.data, ignore_errors=True)
    for file in (home.config, home.log, home.record):
        file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        home.folder.rmdir()
