"""One run of pulumi with a deadline, and the fault that happens while it works."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.support.faults.killing import end_session

if TYPE_CHECKING:
    from tests.e2e.conftest import Project

DEADLINE_S: Final = 120.0
Engine = subprocess.Popen[bytes]
# Makes a fault happen while the engine works; whether it did.
Strike = Callable[[Engine], bool]

_EXIT_TIMEOUT_S: Final = 10.0
_ASKED: Final = re.compile(r"STREAMS_ALLOW_LOSS=([\w,-]+)")
# Of a part of Pulumi that was killed, the others tell with tracebacks of their own.
_OURS: Final = re.compile(r"File \".*/(provisioner|infra)/.*\", line")
_LOSS: Final = re.compile(
    r"\b([A-Z]+): .*? would (delete|leave) (?:(up to )|([\d,]+) to )?([\d,]+) (?:of [\d,]+ )?messages?"
)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        code: its exit code; negative where the engine was killed.
        text: what it said.
        seconds: how long it took.
        engine: the engine's process id, which is that of its session.
        hit: whether a fault struck while it worked.
    """

    code: int
    text: str
    seconds: float
    engine: int
    hit: bool = False

    @property
    def refused(self) -> bool:
        """Whether it ended with an error."""
        return self.code != 0

    def summary(self) -> str:
        """What it said of errors, in a few lines."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip().startswith(("error:", "warning:"))]
        return "\n    ".join([f"{self.code} in {self.seconds:.1f} s{', struck' if self.hit else ''}", *lines])

    def asked(self) -> set[str]:
        """The streams whose loss it wants to be approved."""
        return {name for names in _ASKED.findall(self.text) for name in names.split(",")}

    def losses(self) -> dict[str, tuple[int, int]]:
        """The messages of each stream that it says would be deleted: at least, at most."""
        found = {
            match[1]: (0 if match[3] else _number(match[4] or match[5]), _number(match[5]))
            for match in _LOSS.finditer(self.text)
            if match[2] == "delete"
        }
        return {name: span for name, span in found.items() if span[1]}


def run(project: Project, *arguments: str, environment: Mapping[str, str], strike: Strike | None = None) -> Outcome:
    """Run pulumi; a fault may strike meanwhile."""
    hits: list[bool] = []
    started = time.monotonic()
    with tempfile.TemporaryFile() as out:
        engine = subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=project.folder,
            env=project.environment | {"PULUMI_STACK": project.stack, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        striking = threading.Thread(target=lambda: hits.append(bool(strike and strike(engine))), name="fault")
        striking.start()
        try:
            code = _ended(engine)
        finally:
            _end(engine)
            striking.join()
        out.seek(0)
        text = out.read().decode(errors="replace")
    outcome = Outcome(code, text, time.monotonic() - started, engine.pid, hits == [True])
    assert outcome.seconds < DEADLINE_S, f"{arguments} took {outcome.seconds:.0f} s: {text}"
    assert "Traceback" not in text or (outcome.hit and not _OURS.search(text)), text
    return outcome


def _ended(engine: Engine) -> int:
    """Its exit code; one that does not end is killed, with all that it started."""
    try:
        return engine.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        _end(engine)
        return engine.wait(_EXIT_TIMEOUT_S)


def _end(engine: Engine) -> None:
    """No engine outlives its run, though the test itself be interrupted."""
    if engine.poll() is None:
        os.killpg(engine.pid, signal.SIGKILL)
        end_session(engine.pid)
        engine.wait(_EXIT_TIMEOUT_S)


def _number(text: str) -> int:
    return int(text.replace(",", ""))
