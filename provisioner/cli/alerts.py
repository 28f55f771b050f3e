"""``streams alerts``: the rule file of a catalogue, for Prometheus."""

from __future__ import annotations

import argparse
import sys

from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.text_files import write_whole
from provisioner.watching.alerts import groups
from provisioner.watching.rule_file import rule_file


def run(options: argparse.Namespace) -> int:
    """Print the rules, or write them to a file."""
    catalogue = load(options.catalogue or default_catalogue(), options.replicas)
    text = rule_file(groups(catalogue), options.held)
    if options.output:
        write_whole(options.output, text)
    else:
        sys.stdout.write(text)
    return 0
