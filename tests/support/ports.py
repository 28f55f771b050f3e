"""Ports for the servers of a test, which stay theirs while a server is down and started again.

They are below the range from which the system takes a port for an outgoing connection: a port of that range
is taken by any other test as soon as its server stops. Each worker has ports of its own, and gives none twice
before it has given them all.
"""

from __future__ import annotations

import itertools
import os
import socket
from typing import Final

_FIRST: Final = 10_000
_END: Final = 32_000  # Linux takes ports of outgoing connections from 32768 on
_WORKERS: Final = 8
_EACH: Final = (_END - _FIRST) // _WORKERS
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_APART: Final = 211  # runs side by side have process ids that follow one another
_OFFSETS: Final = itertools.count(os.getpid() * _APART)


def free_port() -> int:
    """A TCP port of this worker that nobody listens on."""
    for _ in range(_EACH):
        port = _FIRST + _WORKER * _EACH + next(_OFFSETS) % _EACH
        if _is_free(port):
            return port
    raise AssertionError(f"no free port in {_EACH} from {_FIRST + _WORKER * _EACH}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
