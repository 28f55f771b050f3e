"""``streams validate``: check a catalogue."""

from __future__ import annotations

import argparse

from provisioner.catalogue.reader import load, reserved
from provisioner.cli.parser import default_catalogue
from provisioner.text import approximate_size, counted


def run(options: argparse.Namespace) -> int:
    """Print what the catalogue holds; its problems are a CatalogueError."""
    file = options.file or options.catalogue or default_catalogue()
    specs = load(file)
    print(f"{file}: {counted(len(specs), 'stream')}, {approximate_size(reserved(specs))} reserved")
    return 0
