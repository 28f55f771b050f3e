"""Registering many resources."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from infra.registering import registered

COUNT, AT_ONCE = 200, 32


def _resources(under_way: list[int], error: Exception | None = None) -> Iterator[Any]:
    """Each is done a moment after it was made; the last one may fail."""
    loop = asyncio.get_running_loop()
    for number in range(COUNT):
        urn: asyncio.Future[str] = loop.create_future()
        under_way.append(under_way[-1] + 1)

        def finish(urn: asyncio.Future[str] = urn, *, fails: bool = number == COUNT - 1) -> None:
            under_way.append(under_way[-1] - 1)
            if fails and error:
                urn.set_exception(error)
            else:
                urn.set_result("urn")

        loop.call_later(0, finish)
        yield SimpleNamespace(urn=SimpleNamespace(future=lambda urn=urn: urn))


def test_so_many_are_under_way_and_no_more() -> None:
    """All are registered, and at no time more at once."""
    under_way = [0]
    asyncio.run(_registered(under_way))
    assert (COUNT * 2 + 1, 0, AT_ONCE) == (len(under_way), under_way[-1], max(under_way))


def test_an_error_ends_the_program() -> None:
    """As if all had been registered at once."""
    with pytest.raises(RuntimeError, match="monitor"):
        asyncio.run(_registered([0], RuntimeError("the monitor has gone")))


async def _registered(under_way: list[int], error: Exception | None = None) -> None:
    await registered(_resources(under_way, error))
