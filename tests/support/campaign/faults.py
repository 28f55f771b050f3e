"""Faults carried out: each waits for its moment, and strikes while the engine works."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.support.campaign.places import External, Places
from tests.support.campaign.runner import DEADLINE_S, Engine
from tests.support.campaign.steps import Fault
from tests.support.faults.killing import end_session

_POLL_S: Final = 0.002
_CUT_S: Final = 0.5  # where there is no proxy to cut, the server answers nothing for a moment
PROGRAM: Final = b"pulumi-language-python-exec"
PROVIDER: Final = b"pulumi.dynamic"


@dataclass(frozen=True)
class Striker:
    """Who makes a fault happen.

    Attributes:
        places: the servers.
        target: the one that is hit.
        typical: seconds that a run takes.
        changes: how many requests for a change there have been.
    """

    places: Places
    target: str
    typical: float
    changes: Callable[[], int]

    def strike(self, fault: Fault, engine: Engine) -> bool:
        """Wait for the moment and act; whether the engine was still at work."""
        return self._await(fault, engine) and _ACTS[fault.kind](self, fault, engine)

    def pause(self, seconds: float, engine: Engine) -> bool:
        """Stop the server for a while, or until the engine ends."""
        if not self.places.send(self.target, signal.SIGSTOP):
            return False
        end = time.monotonic() + seconds
        while time.monotonic() < end and engine.poll() is None:
            time.sleep(_POLL_S)  # the pause itself
        return self.places.send(self.target, signal.SIGCONT)

    def cut(self, engine: Engine) -> bool:
        """Cut the stack's connections."""
        place = self.places.all[self.target]
        if not isinstance(place, External):
            return self.pause(_CUT_S, engine)
        place.proxy.cut()
        return True

    def _await(self, fault: Fault, engine: Engine) -> bool:
        start, before = time.monotonic(), self.changes()
        while engine.poll() is None and time.monotonic() - start < DEADLINE_S:
            come = self.changes() - before >= fault.request
            if come if fault.request else time.monotonic() - start >= fault.share * self.typical:
                return True
            time.sleep(_POLL_S)  # between two looks
        return False


def _kill_engine(_striker: Striker, _fault: Fault, engine: Engine, *, orphans: bool) -> bool:
    os.killpg(engine.pid, signal.SIGKILL)
    if not orphans:
        end_session(engine.pid)
    return True


def _kill_part(_striker: Striker, _fault: Fault, engine: Engine, *, words: bytes) -> bool:
    return end_session(engine.pid, words) > 0


_ACTS: Final[Mapping[str, Callable[[Striker, Fault, Engine], bool]]] = {
    "kill engine": partial(_kill_engine, orphans=False),
    "kill engine, orphans live": partial(_kill_engine, orphans=True),
    "kill program": partial(_kill_part, words=PROGRAM),
    "kill provider": partial(_kill_part, words=PROVIDER),
    "kill server": lambda striker, _fault, _engine: striker.places.send(striker.target, signal.SIGKILL),
    "pause server": lambda striker, fault, engine: striker.pause(fault.seconds, engine),
    "cut connection": lambda striker, _fault, engine: striker.cut(engine),
}
