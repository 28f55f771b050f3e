"""``streams contents``: what streams hold, for whoever is about to delete them."""

from __future__ import annotations

import argparse

from rich.table import Table

from provisioner.cli.server import connected
from provisioner.cli.tables import print_table, table
from provisioner.schema.model import StreamInfo
from provisioner.text import approximate_size


def run(options: argparse.Namespace) -> int:
    """Print a row for each stream, the named ones or all; 1 if a named one is not there."""
    with connected(options.url) as client:
        infos = client.streams()
    names = options.streams or sorted(infos)
    rows: Table = table("Stream", "Messages", "Size", "Oldest", "Consumers")
    for name in names:
        rows.add_row(name, *(_columns(infos[name]) if name in infos else ("not on the server",)))
    print_table(rows, empty="no streams")
    return 0 if infos.keys() >= set(names) else 1


def _columns(info: StreamInfo) -> tuple[str, ...]:
    oldest = f"{info.first_time[:19]}Z" if info.messages else "-"
    return f"{info.messages:,}", approximate_size(info.bytes), oldest, f"{info.consumers:,}"
