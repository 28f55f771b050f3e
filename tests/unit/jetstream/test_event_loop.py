"""The one event loop of a process."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioner.jetstream.event_loop import EventLoop, end

TRIES = 200
THREADS = 8


def test_one_loop_whichever_thread_comes_first() -> None:
    """Threads that begin at the same moment get the same loop, in each of 200 tries."""
    start = threading.Barrier(THREADS)

    def first_use(event_loop: EventLoop) -> asyncio.AbstractEventLoop:
        start.wait(5)
        return event_loop.get()

    with ThreadPoolExecutor(THREADS) as threads:
        for _ in range(TRIES):
            event_loop = EventLoop()
            loops = set(threads.map(first_use, [event_loop] * THREADS))
            assert {event_loop.get()} == loops
            event_loop.close()


def test_run_returns_and_raises() -> None:
    """A coroutine's result and its error come back to the calling thread."""
    event_loop = EventLoop()

    async def work(*, fails: bool) -> str:
        if fails:
            raise KeyError("reason")
        return "result"

    assert "result" == event_loop.run(work(fails=False), 1)
    with pytest.raises(KeyError, match="reason"):
        event_loop.run(work(fails=True), 1)
    event_loop.close()


def test_close_ends_what_is_running() -> None:
    """Tasks are cancelled and awaited, the thread ends; a second close does nothing."""
    event_loop, ended = EventLoop(), threading.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def start() -> asyncio.Task[None]:
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        return task

    task = event_loop.run(start(), 1)
    event_loop.close()
    event_loop.close()
    assert (True, True, True) == (ended.is_set(), task.cancelled(), event_loop.get().is_closed())


async def test_end_cancels_again() -> None:
    """A task that loses a cancellation, as ``asyncio.wait_for`` can, is ended nevertheless."""
    lost: list[asyncio.CancelledError] = []

    async def loses_one() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as cancellation:
                lost.append(cancellation)
                if len(lost) == 2:
                    raise

    task = asyncio.ensure_future(loses_one())
    await asyncio.sleep(0)
    await end([task])
    assert (2, True) == (len(lost), task.cancelled())


async def test_end_waits_for_tasks() -> None:
    """A cancelled task is done, its clean-up included, when ``end`` returns; a task that failed is no error."""
    steps: list[str] = []

    async def tidy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("tidied")

    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError

    tasks = [asyncio.ensure_future(tidy()), asyncio.ensure_future(fail())]
    await asyncio.sleep(0)
    await end(tasks)
    assert (["tidied"], [True, True]) == (steps, [task.done() for task in tasks])
    assert isinstance(tasks[1].exception(), KeyError)
