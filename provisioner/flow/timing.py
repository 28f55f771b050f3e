"""How long something takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it returns, and the milliseconds it takes."""
    began = time.perf_counter()
    result = work()
    return result, 1000 * (time.perf_counter() - began)
