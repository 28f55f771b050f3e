"""A Docker engine of a test's own, which can be ended and started: in a network of its own, beside the one there is.

Two engines in one network would share bridges and firewall rules, so what talks to its containers has to be in its
network too: ``inside`` says how.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provisioner.docker_engine.api import answers
from tests.support.waiting import until

_DEADLINE_S = 60.0
# Holds a network whose loopback is up (SIOCSIFFLAGS; IFF_UP and IFF_RUNNING); ended by whoever started it.
_HOLD = """
import fcntl, signal, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x40, b""))
print("up", flush=True)
signal.pause()
"""


@dataclass
class Daemon:
    """The engine.

    Attributes:
        folder: where its data and its log are.
        sockets: where its sockets and those of its processes are: a folder with a short path, as theirs have a limit.
        network: the process that holds its network.
    """

    folder: Path
    sockets: Path
    network: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.sockets}/docker.sock"

    @property
    def inside(self) -> list[str]:
        """What comes before a command that is to be in its network."""
        return ["nsenter", f"--target={self.network}", "--net"]

    def start(self) -> None:
        """Start it and wait until it answers."""
        places = {"data-root": "data", "pidfile": "pid", "config-file": "daemon.json"}
        options = [f"--{option}={self.folder / name}" for option, name in places.items()]
        options.append(f"--exec-root={self.sockets / 'exec'}")
        options.append("--storage-driver=vfs")  # which works on whatever the folder is on
        (self.folder / "daemon.json").write_text("{}")
        with (self.folder / "log").open("ab") as log:
            command = [*self.inside, "dockerd", *options, f"--host={self.host}"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until("the engine answers", self._answers, _DEADLINE_S)

    def stop(self) -> None:
        """End it as the machine does when it goes down: with its containers."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_DEADLINE_S)
            self.process = None

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
        return answers(self.host)


def problem() -> str | None:
    """Why there can be none here."""
    missing = [program for program in ("dockerd", "unshare", "nsenter") if not shutil.which(program)]
    if missing:
        return f"there is no {', '.join(missing)}"
    return "a Docker engine of its own takes root" if os.geteuid() else None


@contextmanager
def daemon(folder: Path) -> Iterator[Daemon]:
    """A started engine; nothing of it runs in the end."""
    folder.mkdir()
    command = ["unshare", "--net", sys.executable, "-c", _HOLD]
    sockets = tempfile.TemporaryDirectory(prefix="docker-", ignore_cleanup_errors=True)
    with sockets as short, subprocess.Popen(command, stdout=subprocess.PIPE) as network:
        try:
            assert network.stdout
            assert network.stdout.readline() == b"up\n"
            engine = Daemon(folder, Path(short), network.pid)
            try:
                engine.start()
                yield engine
            finally:
                engine.stop()
        finally:
            network.kill()
