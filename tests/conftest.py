"""A run that is the same every time: order, generated examples and random numbers come from committed seeds.

`-m explore` is the other kind of run: new seeds, for as long as EXPLORE_MINUTES says.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import asyncio_errors
from tests.support.exploring import MARKER, is_exploring
from tests.support.faults.figures import PROPERTY, Figures, Record

SEED = 20260101

# Of a run in the background, where a shell has it ignored, no child would hear Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The longest tests first, so that no worker is left alone with one when the others have run out; within a room the
# order stays shuffled.
ROOMS = ("e2e/test_documents", "e2e/attacks/test_campaign", "faults/", "docker", "e2e/", "integration/", "unit/")

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.load_profile("same")


@pytest.fixture(autouse=True, scope="module")
def _no_asyncio_errors() -> Iterator[None]:
    """Fail the module in which asyncio logs an error, such as a task that is destroyed while it is pending."""
    with asyncio_errors.forbidden():
        yield


@pytest.fixture
def figures(record_property: Record) -> Iterator[Figures]:
    """What a fault test counts; shown in the run's summary."""
    figures = Figures()
    yield figures
    figures.record(record_property)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Shuffle the tests in the same way each time, unless the command line names a seed."""
    if config.getoption("randomly_seed", None) == "default":
        config.option.randomly_seed = SEED


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the long ones; leave exploring to the runs that ask for it, whatever else `-m` selects."""
    items.sort(key=_room)
    if is_exploring(config):
        return
    explorations = [item for item in items if item.get_closest_marker(MARKER)]
    config.hook.pytest_deselected(items=explorations)
    items[:] = [item for item in items if item not in explorations]


def _room(item: pytest.Item) -> int:
    return next((number for number, room in enumerate(ROOMS) if room in item.nodeid), len(ROOMS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures of the fault tests: docs/reliability.md is made of them."""
    lines = [
        f"{report.nodeid.removeprefix('tests/')}: {value}"
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "teardown"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if lines:
        terminalreporter.section("faults")
        terminalreporter.write("\n".join(lines) + "\n")
