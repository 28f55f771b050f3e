"""``streams metrics`` as its users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.nats_server import NatsServer
from tests.support.ports import free_port


def words(server: NatsServer, file: Path, *options: str) -> list[str]:
    """A command line."""
    return ["metrics", "--catalogue", str(file), "--url", server.url, "--monitor-url", server.monitor_url, *options]


@contextmanager
def serving(server: NatsServer, file: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command at a port of its own, once it says that it serves."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "provisioner", *words(server, file, "--listen", address)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stderr
        try:
            assert f"metrics at http://{address}/metrics\n" == process.stderr.readline()
            yield process, address
        finally:
            process.kill()
