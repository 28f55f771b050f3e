"""A run that is the same every time: order, generated examples and random numbers come from committed seeds.

`-m explore` is the other kind of run: new seeds, for as long as EXPLORE_MINUTES says.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.support.exploring import MARKER, is_exploring

SEED = 20260101

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Shuffle the tests in the same way each time, unless the command line names a seed."""
    if config.getoption("randomly_seed", None) == "default":
        config.option.randomly_seed = SEED


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave exploring to the runs that ask for it, whatever else `-m` selects."""
    if is_exploring(config):
        return
    explorations = [item for item in items if item.get_closest_marker(MARKER)]
    config.hook.pytest_deselected(items=explorations)
    items[:] = [item for item in items if item not in explorations]
