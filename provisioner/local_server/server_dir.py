"""The directory a nats-server of ours lives in, and the record of which server runs there.

The directory holds everything of it: ``nats.conf``, ``nats.log``, ``data/``, ``tls/`` and ``server.json``.
That record is how a later run finds the server again even when Pulumi's state was lost, and
never a process that only inherited its pid.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from provisioner.local_server import processes
from provisioner.local_server.processes import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


BINARY: Final = "nats-server"
# Modes of files and folders: who may log in, and messages, are nobody else's business.
OWNER_ONLY: Final = 0o600
OWNER_ONLY_FOLDER: Final = 0o700

# Certificate and private key are one file, so that no server ever reads those of two different times.
PAIR_FILE: Final = "server.pem"
CA_FILE: Final = "ca.pem"


@dataclass(frozen=True)
class ServerDir:
    """The directory of one server."""

    path: Path

    @property
    def config(self) -> Path:
        """The server's configuration, which also names it on its command line."""
        return self.path / "nats.conf"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.path / "nats.log"

    @property
    def data(self) -> Path:
        """JetStream's ``store_dir``."""
        return self.path / "data"

    @property
    def tls(self) -> Path:
        """Where the files of an authority made by the stack are."""
        return self.path / "tls"

    @property
    def record(self) -> Path:
        """The record of the server that runs here."""
        return self.path / "server.json"

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything a server leaves here but its data."""
        return self.config, self.log, self.record

    @property
    def full_logs(self) -> tuple[Path, ...]:
        """The logs that the server has put aside, as they had reached their limit."""
        return tuple(self.path.glob(f"{self.log.name}.*"))

    @property
    def command_end(self) -> str:
        """How the command line of this directory's server ends."""
        return f" -c {self.config}"


@dataclass(frozen=True)
class Peer:
    """Another node of the same cluster, on the same address: where it lives and listens."""

    directory: ServerDir
    client_port: int
    monitor_port: int


@dataclass(frozen=True, kw_only=True)
class ServerSpec:
    """One server as it should be.

    Attributes:
        directory: Where it lives.
        owner: The stack it belongs to; another stack keeps away.
        config: The text of its configuration.
        host: The address both ports listen on.
        client_port: The port of the clients.
        monitor_port: The port of the HTTP monitoring.
        cluster_port: The port at which the other nodes of its cluster find it; None for a single server.
        peers: Those nodes.
        ca: The file with the CA of its certificate; None for a server without TLS.
        tls_files: What is to be in ``ServerDir.tls``, by name.
        encryption_key: What the data is encrypted with, if it is; not in the configuration.
    """

    directory: ServerDir
    owner: str
    config: str
    host: str
    client_port: int
    monitor_port: int
    cluster_port: int | None = None
    peers: tuple[Peer, ...] = ()
    ca: str | None = None
    tls_files: Mapping[str, str] = field(default_factory=dict, repr=False)
    encryption_key: str | None = field(default=None, repr=False)

    @property
    def key_digest(self) -> str | None:
        """What tells the key from another; a long key cannot be found from it."""
        return self.encryption_key and hashlib.sha256(self.encryption_key.encode()).hexdigest()

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports it listens on."""
        return (self.client_port, self.monitor_port, *([self.cluster_port] if self.cluster_port else []))


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server of ours, from the record or from Pulumi's state.

    Attributes:
        directory: Where it lives.
        owner: The stack it belongs to.
        data_made: When its data directory was made; another time is other data.
        host: The address its ports listen on.
        ports: The ports it holds.
        process: The process; ``None`` before the first start.
        ca: The file with the CA of its certificate; None for a server without TLS.
        key_digest: What tells the key of its data from another; ``None`` where it is not encrypted.
    """

    directory: ServerDir
    owner: str
    data_made: str
    host: str
    ports: tuple[int, ...]
    process: Process | None = None
    ca: str | None = None
    key_digest: str | None = None

    def is_alive(self) -> bool:
        """Whether this very process runs."""
        return self.process is not None and processes.is_alive(self.process, self.directory.command_end)

    def listens(self, host: str, port: int) -> bool:
        """Whether it holds that port."""
        return host == self.host and port in self.ports


def alive(directory: ServerDir, previous: Server | None = None) -> list[Server]:
    """The servers that run: the one in the record and the one from before, which may be the same."""
    return [server for server in (read(directory), previous) if server and server.is_alive()]


def read(directory: ServerDir) -> Server | None:
    """The server in the record; ``None`` without a record that can be read."""
    try:
        record = json.loads(directory.record.read_text())
        recorded = Process(**record["process"]) if record["process"] else None
        runs = recorded and processes.is_alive(recorded, directory.command_end)
        process = recorded if runs else _started(directory) or recorded
        return Server(**{**record, "directory": directory, "ports": tuple(record["ports"]), "process": process})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ca(directory: ServerDir) -> str | None:
    """The file with the CA of the server in the record; None for one without TLS."""
    return server.ca if (server := read(directory)) else None


def _started(directory: ServerDir) -> Process | None:
    """The process of a start that is not in the record: it was cut short before, or the machine's own services did it.

    The record is written before a start, too.
    """
    return processes.search(f"{BINARY}{directory.command_end}")


def write(server: Server) -> None:
    """Write the record."""
    record = {key: value for key, value in asdict(server).items() if key != "directory"}
    replace_file(server.directory.record, json.dumps(record, indent=2) + "\n")


def replace_file(file: Path, text: str) -> None:
    """Write a file so that nobody ever reads half of it."""
    half = file.with_name(f"{file.name}.new")
    half.unlink(missing_ok=True)
    half.touch(OWNER_ONLY)
    half.write_text(text)
    half.replace(file)


def read_config(directory: ServerDir) -> str:
    """The configuration's text; empty when it, or the data it describes, is gone."""
    try:
        return directory.config.read_text() if directory.data.is_dir() else ""
    except OSError:
        return ""


def write_tls(directory: ServerDir, files: Mapping[str, str]) -> None:
    """Write the files that TLS needs."""
    if files:
        directory.tls.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
        directory.tls.chmod(OWNER_ONLY_FOLDER)
    for name, text in files.items():
        replace_file(directory.tls / name, text)


def read_tls(directory: ServerDir) -> dict[str, str]:
    """Those files; one that others may read is not as it was written."""
    files = directory.tls.glob("*.pem")
    return {file.name: file.read_text() for file in files if file.stat().st_mode & 0o777 == OWNER_ONLY}


def remove_tls(directory: ServerDir) -> None:
    """Remove them: no server that is stopped, or speaks no TLS, needs a private key."""
    shutil.rmtree(directory.tls, ignore_errors=True)


def remove(directory: ServerDir) -> None:
    """Remove what the server left, and the directory itself unless it holds more."""
    if not read(directory):  # without a record the data may be anybody's
        return
    shutil.rmtree(directory.data, ignore_errors=True)
    for file in (*directory.files, *directory.full_logs):
        file.unlink(missing_ok=True)
    remove_empty(directory.path)


def remove_empty(*folders: Path) -> None:
    """Remove folders, each unless something is in it."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
