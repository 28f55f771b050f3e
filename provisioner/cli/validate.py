"""``streams validate``: check a catalogue."""

from __future__ import annotations

import argparse

from provisioner.catalogue.model import reserved
from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.log import tell
from provisioner.text import approximate_size, counted


def run(options: argparse.Namespace) -> int:
    """Print what the catalogue holds, its notes on standard error; its problems are a CatalogueError."""
    file = options.file or options.catalogue or default_catalogue()
    catalogue = load(file, options.replicas)
    tell(*catalogue.notes)
    size = approximate_size(reserved(catalogue.streams))
    consumers = f", {counted(len(catalogue.consumers), 'consumer')}" if catalogue.consumers else ""
    print(f"{file}: {counted(len(catalogue.streams), 'stream')}{consumers}, {size} reserved")
    return 0
