"""Waiting for evidence, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.02


def until(what: str, condition: Callable[[], T | None], timeout: float = 15.0) -> T:
    """Ask again and again until the answer is true, and return it.

    Args:
        what: what is waited for, as the failure says it.
        condition: asked at least once.
        timeout: seconds.
    """
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {timeout:g} s"
        time.sleep(_POLL_S)  # between two looks; the wait itself ends with the evidence
    return answer
