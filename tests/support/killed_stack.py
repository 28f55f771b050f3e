"""An up of a whole stack whose provider is killed at any of its requests; run as a program of its own.

Arguments: the request's number from 0, and the catalogue; the stack comes in as ``pickle`` writes it. Prints how many
requests there were if it comes to its end.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from dataclasses import replace

from provisioner.reconcile.context import close_all
from tests.support.killed_carry import ROOT, watched
from tests.support.provider_stack import Stack

_DEADLINE_S = 60.0
_NEVER = -1


def requests_of_up(stack: Stack, text: str) -> int:
    """Bring a stack up in another process; how many requests it took."""
    ran = _run(_NEVER, stack, text)
    assert not ran.returncode, ran.stderr.decode()
    return int(ran.stdout)


def up_killed_at(request: int, stack: Stack, text: str) -> None:
    """Bring a stack up in another process, which is killed when it is about to send a request; its state stays."""
    ran = _run(request, stack, text)
    assert -signal.SIGKILL == ran.returncode, f"not killed: {ran.stdout.decode()}{ran.stderr.decode()}"


def _run(request: int, stack: Stack, text: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", __name__, str(request), text]
    given = pickle.dumps(replace(stack, server=replace(stack.server, process=None)))
    return subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=_DEADLINE_S, check=False)


def main() -> None:
    """Bring it up, and be killed."""
    requests = watched(int(sys.argv[1]))
    stack: Stack = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the test that has started this
    done = stack.up(sys.argv[2])
    assert "" not in done, done[""]
    print(requests.count)  # noqa: T201 - what the caller reads
    close_all()


if __name__ == "__main__":
    main()
