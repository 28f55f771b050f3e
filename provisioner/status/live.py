"""A report as it is watched: a line a stream and a consumer, the verdict first, as a terminal may be small."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from provisioner.schema.model import StreamInfo
from provisioner.status.colours import COLOURS
from provisioner.status.consumer_table import consumer_table
from provisioner.status.detail_tables import detail_tables, table
from provisioner.status.figures import percentages
from provisioner.status.rates import Rates
from provisioner.status.render import age, placement_text, result_lines, unmanaged_lines, verdict
from provisioner.status.report import Report, moment
from provisioner.status.stream_checks import StreamHealth
from provisioner.text import approximate_size, printable

Figure: TypeAlias = Callable[[StreamInfo, datetime], str]

_FIGURES: Final[Mapping[str, Figure]] = {
    "Messages": lambda info, _now: f"{info.messages:,}",
    "Used": lambda info, _now: approximate_size(info.bytes),
    "Full": lambda info, _now: max((f"{share:.0f} %" for share in percentages(info).values()), default="-"),
    "Last": lambda info, now: age(last, now) if (last := moment(info.last_time)) else "-",
    "Consumers": lambda info, _now: f"{info.consumers:,}",
}


def live_parts(report: Report, now: datetime, rates: Rates) -> Iterator[RenderableType]:
    """What is shown of a report, from the top.

    Args:
        report: what was seen.
        now: when.
        rates: since the last look.
    """
    yield Text.assemble((f"{now.astimezone():%H:%M:%S}  ", "dim"), verdict(report))
    yield Text()
    if any(stream.state != "unknown" for stream in report.streams):
        yield _streams(report, now, rates)
        yield Text()
    if report.consumers and report.streams[0].state != "unknown":
        yield consumer_table(report.consumers, rates.consumers)
        yield Text()
    yield from (line for line in (*result_lines(report), *unmanaged_lines(report)))
    if report.detail:
        yield Text()
        yield from reversed([*detail_tables(report.streams[0], report.detail)])


def _streams(report: Report, now: datetime, rates: Rates) -> Table:
    rows = table("Stream", "State", *(["Replicas"] if report.is_cluster else []))
    for heading in (*_FIGURES, "In/s"):
        rows.add_column(heading, justify="right", no_wrap=True)
    for stream in report.streams:
        rows.add_row(*_cells(stream, now, rates, in_cluster=report.is_cluster))
    return rows


def _cells(stream: StreamHealth, now: datetime, rates: Rates, *, in_cluster: bool) -> Iterator[Text]:
    yield Text(printable(stream.spec.name), "bold")
    yield Text(stream.state, COLOURS[stream.severity])
    if in_cluster:
        yield placement_text(stream, now)
    yield from (Text(figure(stream.info, now) if stream.info else "-") for figure in _FIGURES.values())
    rate = rates.streams.get(stream.spec.name)
    yield Text("-" if rate is None else f"{rate:,.1f}")
