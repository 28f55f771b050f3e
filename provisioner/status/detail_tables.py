"""One stream in depth as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from rich.table import Table
from rich.text import Text

from provisioner.rules.normalise import normalise
from provisioner.schema.config import value_of
from provisioner.schema.fields import FIELDS
from provisioner.schema.stores import word_of
from provisioner.status.detail import MOST_SUBJECTS, Detail, Origin
from provisioner.status.stream_checks import StreamHealth, compared, shown
from provisioner.text import counted, printable

_SUBJECTS_SHOWN: Final = 20
_DIFFERENT: Final = "yellow"


def detail_tables(stream: StreamHealth, detail: Detail) -> Iterator[Table]:
    """Every setting, the origins, what the catalogue does not have, and the subjects with the most messages."""
    yield _settings(stream)
    if detail.origins:
        yield _origins(detail.origins)
    if detail.others:
        yield _others(detail)
    if stream.info and stream.info.messages:
        yield _subjects(stream.info.subjects, detail)


def table(*headings: str) -> Table:
    """A table without lines, whose figures are told by their headings."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def _settings(stream: StreamHealth) -> Table:
    """As they are wanted, each with the live value where that is another."""
    rows, wanted = table("Setting", "Value"), normalise(stream.spec.config)
    changes = {change.field: change for change in stream.changes}
    for field in FIELDS:
        word = Text(word_of(stream.spec.name, field.name))
        if change := changes.get(field.name):
            rows.add_row(word, Text(printable(compared(change)), _DIFFERENT))
        else:
            value = value_of(wanted, field.name)
            rows.add_row(word, Text(printable(shown(field.name, value)), "dim" if value == field.default else ""))
    return rows


def _origins(origins: tuple[Origin, ...]) -> Table:
    rows = table("Origin", "Subjects", "Lag", "Heard of", "Trouble")
    for origin in origins:
        where = f" ({origin.api})" if origin.api else ""
        heard = "never" if origin.silent_s is None else f"{origin.silent_s:,.0f}s ago"
        cells = (origin.name + where, ", ".join(origin.filters) or "all", f"{origin.lag:,}", heard, origin.error or "-")
        rows.add_row(*(Text(printable(cell)) for cell in cells))
    return rows


def _others(detail: Detail) -> Table:
    rows = table("Not in the catalogue", "Pending", "Ack pending", "Redelivered")
    for info in detail.others:
        figures = (info.pending, info.unacknowledged, info.redelivered)
        rows.add_row(Text(printable(info.name or "an ephemeral consumer")), *(f"{figure:,}" for figure in figures))
    return rows


def _subjects(number: int, detail: Detail) -> Table:
    rows = table("Subject", "Messages")
    for subject, messages in islice(detail.subjects.items(), _SUBJECTS_SHOWN):
        rows.add_row(Text(printable(subject)), f"{messages:,}")
    if (left := number - min(len(detail.subjects), _SUBJECTS_SHOWN)) > 0:
        why = f"; more than {MOST_SUBJECTS:,} are not listed" if number > MOST_SUBJECTS else ""
        rows.add_row(Text(f"{counted(left, 'more subject' if detail.subjects else 'subject')}{why}", "dim"), "")
    return rows
