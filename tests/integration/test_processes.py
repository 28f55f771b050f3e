"""Processes of this machine: recognised by pid, start time and command, and ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.local_server import processes
from provisioner.local_server.processes import Process


def test_ps_and_proc_agree(stranger: Process) -> None:
    """Systems without /proc see the same command line, and a start time."""
    # Which of the two is asked is the system's business: here only one of them would ever be.
    proc, ps = processes._from_proc(stranger.pid), processes._from_ps(stranger.pid)  # noqa: SLF001

    assert proc[1] == ps[1] == "sleep 60"
    assert len(ps[0]) == 24
    assert processes._from_ps(2**22 + 1) == ("", "")  # noqa: SLF001


def test_a_process_is_found_by_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the end of its command line, on systems without /proc too; one that is not there is not."""
    with subprocess.Popen(["sleep", "61.5"]) as child:
        try:
            for without_proc in False, True:
                if without_proc:
                    monkeypatch.setattr(processes, "PROC", Path("/nowhere"))
                found = processes.search("sleep 61.5")
                assert found
                assert (child.pid, found) == (found.pid, processes.find(child.pid, "sleep 61.5"))
                assert processes.search("sleep 61.6") is None
        finally:
            child.kill()


def test_deaf_process_is_killed() -> None:
    """A process that ignores SIGTERM gets SIGKILL once its time is up."""
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        process = processes.find(child.pid, deaf)
        assert process
        assert processes.stop(process, deaf, 0.1)
        assert child.wait() == -signal.SIGKILL
