"""``streams schema``: the JSON schema of a catalogue."""

from __future__ import annotations

import argparse
import json

from provisioner.catalogue.json_schema import catalogue_schema


def run(_options: argparse.Namespace) -> int:
    """Print the schema."""
    print(json.dumps(catalogue_schema(), indent=2, ensure_ascii=False))
    return 0
