"""``streams validate``: check a catalogue."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator

from provisioner.catalogue.model import Catalogue, reserved
from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.log import tell
from provisioner.schema.stores import STORE_KINDS, kind_of
from provisioner.text import approximate_size, counted


def run(options: argparse.Namespace) -> int:
    """Print what the catalogue holds, its notes on standard error; its problems are a CatalogueError."""
    file = options.file or options.catalogue or default_catalogue()
    catalogue = load(file, options.replicas)
    tell(*catalogue.notes)
    size = approximate_size(reserved(catalogue.streams))
    print(f"{file}: {', '.join(_counts(catalogue))}, {size} reserved")
    return 0


def _counts(catalogue: Catalogue) -> Iterator[str]:
    """How many there are of each kind."""
    kinds = Counter(kind_of(spec.name) for spec in catalogue.streams)
    yield counted(kinds[None], "stream")
    yield from (counted(kinds[kind], kind.noun) for kind in STORE_KINDS if kinds[kind])
    if catalogue.consumers:
        yield counted(len(catalogue.consumers), "consumer")
