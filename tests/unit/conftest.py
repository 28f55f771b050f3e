"""Unit tests do no I/O beyond files: no socket, no other program."""

from __future__ import annotations

import sys

import pytest

_FORBIDDEN = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.posix_spawn")
_running: list[str] = []  # the unit test at work: other tests of the same process may do what they like


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if _running and event in _FORBIDDEN:
        raise AssertionError(f"{_running[-1]}: a unit test does no I/O, this one does {event}{arguments!r}")


sys.addaudithook(_refuse)


@pytest.fixture(autouse=True)
def _no_input_or_output(request: pytest.FixtureRequest) -> object:
    """Refuse sockets and subprocesses for as long as the test lasts."""
    _running.append(request.node.nodeid)
    yield
    _running.pop()
