"""``streams alerts``: the rule file of a catalogue, for Prometheus."""

from __future__ import annotations

import argparse

from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.watching.alerts import groups
from provisioner.watching.rule_file import rule_file


def run(options: argparse.Namespace) -> int:
    """Print the rules."""
    catalogue = load(options.catalogue or default_catalogue(), options.replicas)
    print(rule_file(groups(catalogue), options.held), end="")
    return 0
