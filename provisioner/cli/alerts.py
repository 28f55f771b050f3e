"""``streams alerts``: the alert rules of a catalogue."""

from __future__ import annotations

import argparse
import sys

from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.cli.written import write_whole
from provisioner.watching.alerts import rules_text


def run(options: argparse.Namespace) -> int:
    """Write the rules to a file, else to standard output."""
    file = options.catalogue or default_catalogue()
    text = rules_text(load(file, options.replicas), str(file))
    if options.output:
        write_whole(options.output, text)
    else:
        sys.stdout.write(text)
    return 0
