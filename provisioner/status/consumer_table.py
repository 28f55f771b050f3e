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
    "Ack pending": lambda info: info.unacknowledged,
    "Redelivered": lambda info: info.redelivered,
    "Ack floor": lambda info: info.acknowledged,
}


def consumer_table(consumers: Iterable[ConsumerHealth], rates: Mapping[str, float] | None = None) -> Table:
    """A row a consumer, with how much it has before it; watched, with its deliveries a second, by label."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Consumer", "State", "Subjects"):
        table.add_column(heading, overflow="fold")
    for heading in _FIGURES:
        table.add_column(heading, justify="right")
    if rates is not None:
        table.add_column("Out/s", justify="right")
    for each in consumers:
        rate = () if rates is None else (_rate(rates.get(each.spec.label)),)
        table.add_row(*_cells(each), *rate)
    return table


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.1f}"


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
