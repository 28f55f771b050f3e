"""The walk as a table for people: who handed what to whom, and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from rich.table import Table
from rich.text import Text

from provisioner.flow.walk import Result
from provisioner.text import printable

_NONE: Final = "-"
_TIMES: Final[Mapping[str, Callable[[Result], float | None]]] = {
    "Stream": lambda result: result.stream,
    "Consumer": lambda result: result.consumer,
    "Message": lambda result: result.carried.total if result.carried else None,
}


def table(results: Iterable[Result]) -> Table:
    """A row a hop: milliseconds until its real stream and consumer answered, and of the message's way."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("From", "Subject", "To"):
        drawn.add_column(heading, overflow="fold")
    for heading in _TIMES:
        drawn.add_column(heading, justify="right")
    for result in results:
        hop = result.hop
        texts = (hop.publisher, hop.subject, f"{hop.stream}/{hop.consumer}")
        colour = "bold red" if result.problem else ""
        drawn.add_row(*(Text(printable(text), colour) for text in texts), *map(Text, _times(result)))
    return drawn


def _times(result: Result) -> list[str]:
    values = [time(result) for time in _TIMES.values()]
    return [_NONE if value is None else f"{value:.1f}" for value in values]
