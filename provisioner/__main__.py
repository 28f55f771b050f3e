"""The operator's command line: ``python -m provisioner COMMAND``.

Each command parses its arguments, makes one call and answers with an exit code; what it needs
is imported when it runs, so that checking a file loads neither Pulumi nor NATS.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from provisioner.errors import ProvisionerError

CATALOGUE: Final = Path("infra/streams.yaml")
_DESCRIPTION: Final = "JetStream streams, described in one catalogue."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Bad usage exits 2."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ProvisionerError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m provisioner", description=_DESCRIPTION)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    validate = commands.add_parser("validate", help="check a catalogue: every mistake with its line")
    validate.add_argument("file", nargs="?", type=Path, default=CATALOGUE, help=f"default: {CATALOGUE}")
    validate.set_defaults(run=_validate)

    schema = commands.add_parser("schema", help="print the JSON schema of a catalogue")
    schema.set_defaults(run=_schema)

    status = commands.add_parser("status", help="the streams, wanted against live, and the server's health")
    status.add_argument("--catalogue", type=Path, default=CATALOGUE, help=f"default: {CATALOGUE}")
    status.add_argument("--url", help="default: $NATS_URL, else the server on this machine")
    status.add_argument("--monitor-url", help="default: $NATS_MONITOR_URL; empty: do not ask it")
    status.add_argument("--json", action="store_true", help="for machines")
    status.set_defaults(run=_status)

    return parser


def _validate(options: argparse.Namespace) -> int:
    from provisioner.catalogue import load, reserved
    from provisioner.units import approximate_size

    specs = load(options.file)
    streams = "1 stream" if len(specs) == 1 else f"{len(specs)} streams"
    print(f"{options.file}: {streams}, {approximate_size(reserved(specs))} reserved")
    return 0


def _schema(_options: argparse.Namespace) -> int:
    from provisioner.schema import catalogue_schema

    print(json.dumps(catalogue_schema(), indent=2, ensure_ascii=False))
    return 0


def _status(options: argparse.Namespace) -> int:
    from provisioner.status import run

    return run(options.catalogue, options.url, options.monitor_url, os.environ, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
