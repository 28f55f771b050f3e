"""``streams import``: a catalogue of the streams a server has."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from provisioner.catalogue.writer import catalogue_of
from provisioner.cli.server import connected
from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import listed
from provisioner.log import tell
from provisioner.schema.consumer_model import ConsumerConfig
from provisioner.text import counted
from provisioner.text_files import write_whole


def run(options: argparse.Namespace) -> int:
    """Write the catalogue to a file, else to standard output; 1 if it has to be corrected by hand."""
    output: Path | None = options.output
    if output and output.exists() and not options.force:
        raise ProvisionerError(f"{output}: already exists; --force overwrites it")
    with connected(options.url) as client:
        streams = client.streams()
        used = [name for name, info in streams.items() if info.consumers]
        present = {name: _consumers(client, name) for name in used}
        imported = catalogue_of(streams, options.patterns, str(output or "catalogue"), present)
    tell(*imported.notes, *imported.problems)
    if not imported.names:
        raise ProvisionerError("no stream to import")
    if output:
        write_whole(output, imported.text)
        tell(f"{output}: {counted(len(imported.names), 'stream')}")
    else:
        sys.stdout.write(imported.text)
    return 1 if imported.problems else 0


def _consumers(client: JetStream, stream: str) -> list[ConsumerConfig]:
    """Every one of a stream: a catalogue that lacks some would be taken for the whole."""
    found = listed(client, stream)
    return [info.config for info in found.with_needed(client, stream, found.missing).values()]
