"""The suite's own guard against what asyncio only logs."""

from __future__ import annotations

import asyncio

import pytest

from tests.support import asyncio_errors


def test_a_destroyed_task_is_an_error() -> None:
    """A task that is left pending fails the block that left it."""

    def leave() -> None:
        loop = asyncio.new_event_loop()
        loop.create_task(asyncio.sleep(60))  # noqa: RUF006 - nobody holding it is what the test is about
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()

    with pytest.raises(AssertionError, match="Task was destroyed but it is pending"), asyncio_errors.forbidden():
        leave()


def test_a_finished_task_is_none() -> None:
    """A task that was awaited leaves nothing to say."""
    with asyncio_errors.forbidden():
        asyncio.run(asyncio.sleep(0))
