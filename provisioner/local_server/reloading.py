"""What a server writes to its log, after it was told to read its configuration again."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Final

from provisioner.local_server import processes, server_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provisioner.local_server.processes import Process
    from provisioner.local_server.server_dir import ServerSpec

RELOAD_TIMEOUT_S: Final = 5.0

# What nats-server logs after a SIGHUP: it takes all of the new configuration or none of it.
RELOADED: Final = "Reloaded server configuration"
NOT_RELOADED: Final = "Failed to reload server configuration"
# It goes on after these, without JetStream for its account; the second is that of an operator's.
NO_ACCOUNT: Final = ("Error enabling jetstream on configured accounts", "Error configuring jetstream for account")


def account_problem(log: str) -> str | None:
    """Why the server has no JetStream for an account, in its words."""
    found = (line[line.index(text) :] for line in log.splitlines() for text in NO_ACCOUNT if text in line)
    return next(found, None)


def read_again(process: Process, spec: ServerSpec, new_log: Callable[[], str]) -> None:
    """Have the server read its configuration, and the files that it names, and wait until it has."""
    server_dir.write_tls(spec.directory, spec.tls_files)
    server_dir.replace_file(spec.directory.config, spec.config)
    processes.send(process, spec.directory.command_end, signal.SIGHUP)
    processes.wait(lambda: RELOADED in new_log() or NOT_RELOADED in new_log(), RELOAD_TIMEOUT_S)


def follow(log: Path) -> Callable[[], str]:
    """A function that returns what was logged since now; of a log that was full and put aside, what came after it."""
    log.touch(server_dir.OWNER_ONLY)
    start = log.stat().st_size

    def new_log() -> str:
        with contextlib.suppress(FileNotFoundError), log.open(errors="replace") as lines:
            lines.seek(start if log.stat().st_size >= start else 0)
            return lines.read()
        return ""

    return new_log
