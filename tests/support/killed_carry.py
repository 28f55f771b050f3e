"""A provider that is killed in the middle of an update, at any of its requests; run as a program of its own.

Arguments: the request's number from 0, the old outputs and the new inputs as JSON. Prints how many
requests there were if it comes to its end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from provisioner.jetstream.connection import Connection
from provisioner.jetstream.transfer import Transfer
from provisioner.reconcile.context import close_all
from tests.support.stream_provider import provider

ROOT = Path(__file__).resolve().parents[2]
_DEADLINE_S = 60.0
_NEVER = -1


def requests_of_update(olds: Mapping[str, Any], news: Mapping[str, Any]) -> int:
    """Make the update in another process; how many requests it took."""
    return int(_run(_NEVER, olds, news).stdout)


def update_killed_at(request: int, olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
    """Make the update in another process, which is killed when it is about to send a request."""
    ran = _run(request, olds, news)
    assert -signal.SIGKILL == ran.returncode, f"not killed: {ran.stdout}{ran.stderr}"


def _run(request: int, olds: Mapping[str, Any], news: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", __name__, str(request), json.dumps(olds), json.dumps(news)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)


class Requests:
    """Counts them, and ends the process before the one of a number."""

    def __init__(self, last: int) -> None:
        self.count, self._last = 0, last

    def watch(self, owner: type, method: str) -> None:
        send: Callable[..., Any] = getattr(owner, method)

        def counted(*args: Any, **kwargs: Any) -> Any:
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
            self.count += 1
            return send(*args, **kwargs)

        setattr(owner, method, counted)


def watched(last: int) -> Requests:
    """The requests of this process, which ends before the one of a number."""
    requests = Requests(last)
    for owner, method in ((Connection, "request"), (Connection, "long_request"), (Transfer, "send")):
        requests.watch(owner, method)
    return requests


def main() -> None:
    """Update, and be killed."""
    requests = watched(int(sys.argv[1]))
    olds, news = map(json.loads, sys.argv[2:])
    provider().update(olds["name"], olds, news)
    print(requests.count)  # noqa: T201 - what the caller reads
    close_all()


if __name__ == "__main__":
    main()
