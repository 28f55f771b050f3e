"""Starts, changes, finds and stops the server.

Nothing is ever done to a process that is not proven to be the one we started.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from provisioner.errors import ProvisionerError
from provisioner.local_server import cluster, ports, processes, routes, server_dir
from provisioner.local_server.problems import binary, problems
from provisioner.local_server.reloading import RELOADED, account_problem, follow, read_again
from provisioner.local_server.server_dir import BINARY, Server, ServerDir, ServerSpec, alive

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.local_server.ports import Greeting
    from provisioner.local_server.processes import Process

# A big store that was not closed is read through before the server is ready.
READY_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 10.0
# A busy machine makes a server slow; one that says nothing for so long does not come back by itself.
HANG_TIMEOUT_S: Final = 3.0
# A server greets once it has read back its streams. Those of an account that it no longer has, and those that it cannot
# open, make it unhealthy for good.
_JETSTREAM_IS_ON: Final = "?js-enabled-only=true"
# Where the configuration of a server with encrypted data looks for the key: on the disk it would be beside the data.
KEY_VARIABLE: Final = "STREAMS_ENCRYPTION_KEY"
# What a server that lives for months may have of the environment of the run that starts it: Go's settings, no secret.
_INHERITED: Final = (
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOGC",
    "GODEBUG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


class ServerError(ProvisionerError):
    """The server could not be started or stopped."""


@dataclass(frozen=True)
class Ready:
    """A server that answers, and its greeting."""

    server: Server
    greeting: Greeting


def find(directory: ServerDir, previous: Server | None = None) -> Server | None:
    """The server that runs in this directory, by its record or by what the caller remembers."""
    return next((server for server in alive(directory, previous) if server.directory == directory), None)


def serving(spec: ServerSpec) -> Server | None:
    """The server that runs now on the spec's data and holds its ports, if there is one."""
    server = find(spec.directory)
    listens = server and all(server.listens(spec.host, port) for port in spec.ports)
    return server if listens and spec.directory.data.is_dir() else None


def greets(spec: ServerSpec) -> bool:
    """Whether a server greets clients at the spec's port; one that hangs does not, for as long as it is asked here."""
    ca = server_dir.ca(spec.directory)
    return processes.wait(lambda: ports.greeting(spec.host, spec.client_port, ca) is not None, HANG_TIMEOUT_S)


def data_made(spec: ServerSpec) -> str | None:
    """When the data was made that a server of this owner finds in its directory, if there is any."""
    record = server_dir.read(spec.directory)
    return record.data_made if record and record.owner == spec.owner and spec.directory.data.is_dir() else None


def require_runnable(spec: ServerSpec, previous: Server | None = None) -> None:
    """Find what would prevent the server from running.

    Raises:
        ServerError: every problem.
    """
    if found := [*problems(spec, previous)]:
        raise ServerError("; ".join(found))


def ensure(spec: ServerSpec, previous: Server | None = None) -> Ready:
    """Make the server run with its configuration, whatever runs now.

    One that runs is asked to reload. Where it says that it cannot (ports, its name and its directory
    need a restart, limits do not), and where its files are gone, it is stopped and started.

    Args:
        spec: The server.
        previous: The one it replaces, which may live in another directory; its data stays there.

    Raises:
        ServerError: something prevents it, or it does not become ready.
    """
    require_runnable(spec, previous)
    try:
        return _ensure(spec, previous)
    except OSError as error:
        raise ServerError(f"cannot run a server in {spec.directory.path}: {error}") from error


def stop(directory: ServerDir, previous: Server | None = None) -> None:
    """Stop the directory's server, if it runs; its data stays. Idempotent.

    Raises:
        ServerError: it does not stop, even when killed.
    """
    for server in alive(directory, previous):
        _stop(server)


def _stop(server: Server) -> None:
    process = server.process
    if process and not processes.stop(process, server.directory.command_end, STOP_TIMEOUT_S):
        raise ServerError(f"nats-server (pid {process.pid}) does not stop, even when killed")
    for port in server.ports:
        ports.problem(server.host, port)  # waits until the kernel has closed it


def _ensure(spec: ServerSpec, previous: Server | None) -> Ready:
    spec.directory.path.mkdir(parents=True, exist_ok=True)
    spec.directory.path.chmod(server_dir.OWNER_ONLY_FOLDER)
    new_log = follow(spec.directory.log)
    reloaded = _reload(spec, find(spec.directory, previous), new_log)
    leaving = [server for server in alive(spec.directory, previous) if not _is_process(server, reloaded)]
    for server in leaving:
        cluster.require_spare(spec, server)
    if not reloaded:
        _agree_on_routes(spec)
    for server in leaving:
        _stop(server)
    ready = _await_ready(spec, reloaded or _start(spec, previous), new_log)
    if not spec.tls_files:
        server_dir.remove_tls(spec.directory)
    return ready


def _is_process(server: Server, other: Server | None) -> bool:
    return other is not None and server.process == other.process


def _agree_on_routes(spec: ServerSpec) -> None:
    """Have the other nodes speak TLS on new routes, or no more, before this one does; the routes there are stay.

    Nodes that differ in it find no route to each other any more once one of them is started anew.

    Raises:
        ServerError: a node does not take it; this one has not been touched.
    """
    for peer in spec.peers:
        config, server = server_dir.read_config(peer.directory), find(peer.directory)
        wanted = routes.adapted(config, spec, peer.directory)
        if server and server.process and wanted != config:
            new_log = follow(peer.directory.log)
            read_again(server.process, replace(spec, directory=peer.directory, config=wanted), new_log)
            if RELOADED not in new_log():
                server_dir.replace_file(peer.directory.config, config)
                raise ServerError(
                    f"{peer.directory.path} does not take the TLS of the cluster's routes (log: {peer.directory.log})"
                )


def _reload(spec: ServerSpec, server: Server | None, new_log: Callable[[], str]) -> Server | None:
    """The server, if it took the new configuration as it runs."""
    directory = spec.directory
    if not (server and server.process and directory.data.is_dir()):
        return None
    before = server_dir.read_config(directory) or spec.config
    read_again(server.process, spec, new_log)
    if problem := account_problem(new_log()):
        read_again(server.process, replace(spec, config=before), follow(directory.log))
        raise ServerError(f"{problem}; raise maxFileStore, or lower the account's max_file; the server is as it was")
    if RELOADED in new_log():
        return _recorded(replace(server, owner=spec.owner, ca=spec.ca, key_digest=spec.key_digest))
    server_dir.replace_file(directory.config, before)  # until a restart, what runs is what the file says
    return None


def _start(spec: ServerSpec, previous: Server | None) -> Server:
    directory = spec.directory
    server = _recorded(_unstarted(spec, previous))
    directory.data.mkdir(exist_ok=True)
    server_dir.write_tls(directory, spec.tls_files)
    server_dir.replace_file(directory.config, spec.config)
    return _recorded(replace(server, process=_spawn(spec)))


def _unstarted(spec: ServerSpec, previous: Server | None) -> Server:
    """The server before its first start; data that is not there yet is new data."""
    before = server_dir.read(spec.directory) or previous
    has_data = before and before.directory == spec.directory and spec.directory.data.is_dir()
    made = before.data_made if before and has_data else cluster.data_made(spec)
    return Server(
        directory=spec.directory,
        owner=spec.owner,
        data_made=made or datetime.now(UTC).isoformat(),
        host=spec.host,
        ports=spec.ports,
        ca=spec.ca,
        key_digest=spec.key_digest,
    )


def _recorded(server: Server) -> Server:
    server_dir.write(server)
    return server


def _spawn(spec: ServerSpec) -> Process | None:
    """Start a process and let go of it: it shares neither our session nor our pipes, and of our variables few."""
    directory = spec.directory
    command = [binary() or BINARY, "-c", str(directory.config)]
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # Quoted: nats-server reads the variable as it reads its configuration.
    key = {KEY_VARIABLE: json.dumps(spec.encryption_key)} if spec.encryption_key else {}
    with directory.log.open("ab") as out:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd="/",
            env=inherited | key,
        )
    # For a moment after its start a process has no command line to be known by.
    processes.wait(lambda: _is_named(child, directory) or child.poll() is not None, STOP_TIMEOUT_S)
    child.returncode = 0  # nobody is going to wait for it
    return processes.find(child.pid, directory.command_end)


def _is_named(child: subprocess.Popen[bytes], directory: ServerDir) -> bool:
    return processes.find(child.pid, directory.command_end) is not None


def _await_ready(spec: ServerSpec, server: Server, new_log: Callable[[], str]) -> Ready:
    """Wait until it greets clients and calls itself healthy; a single one that never greets is stopped."""
    processes.wait(lambda: not server.is_alive() or _answers(spec), READY_TIMEOUT_S)
    greeting = ports.greeting(spec.host, spec.client_port, spec.ca)
    if server.is_alive() and greeting:
        cluster.require_current(spec)
        return Ready(server, greeting)
    _stop(server)
    last_line = next((line for line in reversed(new_log().splitlines()) if line.strip()), "its log is empty")
    raise ServerError(f"nats-server did not become ready: {last_line} (log: {server.directory.log})")


def _answers(spec: ServerSpec) -> bool:
    healthy = spec.peers or ports.health_problem(spec.host, spec.monitor_port, spec.ca, _JETSTREAM_IS_ON) is None
    return bool(healthy) and ports.greeting(spec.host, spec.client_port, spec.ca) is not None
