"""Plain tables of the commands: as wide as the terminal, or as a log can show."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

PIPED_WIDTH = 120


def table(*headings: str) -> Table:
    """A table without lines."""
    return Table(*headings, box=None, pad_edge=False, padding=(0, 2, 0, 0))


def print_table(rows: Table, *, empty: str) -> None:
    """Print it to standard output, or what is said where it has no rows."""
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    console.print(rows if rows.row_count else empty)
