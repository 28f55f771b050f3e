"""One asyncio event loop for the whole process, in a daemon thread.

Pulumi calls a provider from several threads at once, and a NATS connection belongs to the loop it
was made on: so there is exactly one, made under a lock.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

# Seconds on top of a coroutine's own timeout, so that its own error comes first.
_GRACE_S: Final = 1.0
_LOCK: Final = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def event_loop() -> asyncio.AbstractEventLoop:
    """The process's loop, started at the first call."""
    global _loop  # noqa: PLW0603 - one for the process, whichever thread comes first
    with _LOCK:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="nats", daemon=True).start()
        return _loop


def run(work: Coroutine[Any, Any, T], timeout: float) -> T:
    """Run a coroutine on the loop from any thread.

    Args:
        work: the coroutine.
        timeout: seconds that it allows itself; a stuck loop is given one more.

    Raises:
        TimeoutError: it was not done in time.
    """
    return asyncio.run_coroutine_threadsafe(work, event_loop()).result(timeout + _GRACE_S)
