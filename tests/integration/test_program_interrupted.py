"""The program when the engine interrupts it: the engine has said why, and nothing else is to be said."""

from __future__ import annotations

import subprocess
import sys

from tests.e2e.conftest import ROOT

# As Pulumi's own coroutines do, it waits for something more while it is being closed.
PROGRAM = """
import asyncio, os, signal
from infra.program import _end_quietly

async def run():
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)

signal.signal(signal.SIGINT, _end_quietly)
print("before", flush=False)
asyncio.new_event_loop().run_until_complete(run())
"""


def test_it_ends_without_a_word() -> None:
    """With the code that tells Pulumi that everything is logged, and with what it had to say."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (32, "before\n", "") == (ran.returncode, ran.stdout, ran.stderr)
