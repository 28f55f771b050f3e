"""How much work a call is, counted in lines of code that it runs: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeAlias

_Trace: TypeAlias = "Callable[[FrameType, str, object], _Trace]"


def steps(call: Callable[[], object]) -> int:
    """The lines of Python that a call runs."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> _Trace:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count
