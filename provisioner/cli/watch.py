"""One report after the other on a terminal, until somebody has seen enough."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn

from rich.console import Console, Group
from rich.live import Live

from provisioner.status.live import live_parts
from provisioner.status.rates import Look, Rates, rates
from provisioner.status.report import Report


def watch(look: Callable[[], Report], pause_s: float, console: Console) -> None:
    """Show a report, look again, and so on; ends with SIGINT or SIGTERM, and leaves the terminal as it was.

    Args:
        look: makes a report, whatever becomes of the server.
        pause_s: seconds between two looks.
        console: a terminal.
    """
    before: Look | None = None
    with _until_a_signal(), Live("…", console=console, screen=True, auto_refresh=False) as live:
        while True:
            now = Look(look(), time.monotonic())
            since = rates(before, now) if before else Rates()
            live.update(Group(*live_parts(now.report, datetime.now(UTC), since)), refresh=True)
            before = now
            time.sleep(pause_s)


@contextmanager
def _until_a_signal() -> Iterator[None]:
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, previous)


def _end(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
