"""One asyncio event loop for the whole process, in a daemon thread.

Pulumi calls a provider from several threads at once, and a NATS connection belongs to the loop it
was made on: so there is exactly one, made under a lock.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from provisioner.errors import Unreachable

T = TypeVar("T")

# On top of a coroutine's own timeout, so that its own error comes first, its clean-up included.
_GRACE_S: Final = 5.0
_END_TIMEOUT_S: Final = 2.0
_CANCEL_AGAIN_S: Final = 0.1


class EventLoop:
    """A loop that is started at its first use, by whichever thread comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run_forever, name="nats", daemon=True)

    def get(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread.start()
            return self._loop

    def run(self, work: Coroutine[Any, Any, T], timeout: float) -> T:
        """Run a coroutine from any thread; cancel it if the thread does not wait for its end.

        Args:
            work: the coroutine.
            timeout: seconds that it allows itself.

        Raises:
            Unreachable: it was not done long after that.
        """
        future = asyncio.run_coroutine_threadsafe(work, self.get())
        try:
            return future.result(timeout + _GRACE_S)
        except TimeoutError as cause:
            raise Unreachable(f"not done within {timeout + _GRACE_S:g} s; this machine is overloaded") from cause
        finally:
            future.cancel()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine from any thread; whoever has the future waits for it or cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self.get())

    def close(self) -> None:
        """Cancel whatever is still running, and end the thread. Idempotent; the loop is then of no more use."""
        with self._lock:
            if self._loop and self._thread.is_alive():
                asyncio.run_coroutine_threadsafe(_end_all(), self._loop).result(_GRACE_S)
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join(_GRACE_S)

    def _run_forever(self) -> None:
        assert self._loop  # noqa: S101 - started by get
        self._loop.run_forever()
        self._loop.close()


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait until they are done, whatever comes of them.

    Cancel again while one goes on: ``asyncio.wait_for`` loses a cancellation that meets its result, and
    a client that reconnects then goes on for ever.
    """
    deadline = time.monotonic() + _END_TIMEOUT_S
    pending = {task for task in tasks if not task.done()}
    while pending and time.monotonic() < deadline:
        for task in pending:
            task.cancel()
        pending = (await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S))[1]


async def _end_all() -> None:
    await end(asyncio.all_tasks() - {asyncio.current_task()})


_LOOP: Final = EventLoop()
event_loop: Final = _LOOP.get
run: Final = _LOOP.run
start: Final = _LOOP.start
atexit.register(_LOOP.close)
