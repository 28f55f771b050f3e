"""Generated examples from new seeds, for as long as somebody wants to wait."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

MARKER = "explore"
MINUTES = float(os.environ.get("EXPLORE_MINUTES", "5"))
_EXAMPLES = 100  # between two looks at the clock: hypothesis begins each round with simple examples
_OVERTIME_S = 300  # to finish the last round, and to shrink what it found

_settings = settings(
    max_examples=_EXAMPLES,
    derandomize=False,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


def is_exploring(config: pytest.Config) -> bool:
    """Whether the command line asks for it: `-m explore`."""
    return MARKER in (config.getoption("markexpr") or "")


def explores() -> list[pytest.MarkDecorator]:
    """The marks of a test that explores."""
    return [pytest.mark.explore, pytest.mark.timeout(60 * MINUTES + _OVERTIME_S)]


def new_seeds(share: float) -> Iterator[int]:
    """Seeds that nobody has seen, until this share of the time is over; at least one."""
    end = time.monotonic() + 60 * MINUTES * share
    while True:
        yield random.SystemRandom().getrandbits(32)
        if time.monotonic() >= end:
            return


def explore(prove: Callable[[Any], None], examples: SearchStrategy[Any], share: float) -> None:
    """Prove something of generated examples; the failure names the simplest one for which it does not hold."""

    def prove_one(example: Any) -> None:
        prove(example)

    for number in new_seeds(share):
        seed(number)(_settings(given(example=examples)(prove_one)))()
