"""The consumers of a report as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from rich.table import Table
from rich.text import Text

from provisioner.schema.consumer_model import ConsumerInfo, subject_filters
from provisioner.status.colours import COLOURS
from provisioner.status.consumers import ConsumerHealth
from provisioner.text import printable

_FIGURES: Final[Mapping[str, Callable[[ConsumerInfo], int]]] = {
    "Pending": lambda info: info.pending,
    "Unacknowledged": lambda info: info.unacknowledged,
    "Acknowledged to": lambda info: info.acknowledged,
}


def consumer_table(consumers: Iterable[ConsumerHealth]) -> Table:
    """A row a consumer, with how much it has before it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Consumer", "State", "Subjects"):
        table.add_column(heading, overflow="fold")
    for heading in _FIGURES:
        table.add_column(heading, justify="right")
    for each in consumers:
        table.add_row(*_cells(each))
    return table


def _cells(consumer: ConsumerHealth) -> list[Text]:
    info = consumer.info
    subjects = ", ".join(subject_filters(consumer.spec.config)) or "all"
    figures = (f"{figure(info):,}" if info else "-" for figure in _FIGURES.values())
    return [
        Text(printable(consumer.spec.label), "bold"),
        Text(consumer.state, COLOURS[consumer.severity]),
        Text(printable(subjects)),
        *map(Text, figures),
    ]
