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
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


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
    _add_url(status)
    status.add_argument("--monitor-url", help="default: $NATS_MONITOR_URL; empty: do not ask it")
    status.add_argument("--json", action="store_true", help="for machines")
    status.set_defaults(run=_status)

    backup = commands.add_parser("backup", help="write streams to disk: configuration, messages, consumers")
    backup.add_argument("streams", nargs="+", metavar="STREAM")
    backup.add_argument("--to", type=Path, required=True, metavar="DIR", help="gets a folder for each stream")
    _add_url(backup)
    backup.set_defaults(run=_backup)

    restore = commands.add_parser("restore", help="bring streams back from a backup, where there are none of the name")
    restore.add_argument("folder", type=Path, metavar="DIR", help="a folder that backups were written to")
    restore.add_argument("streams", nargs="*", metavar="STREAM", help="default: all that are in it")
    _add_url(restore)
    restore.set_defaults(run=_restore)

    import_ = commands.add_parser("import", help="write a catalogue of the streams a server has")
    import_.add_argument("patterns", nargs="*", metavar="PATTERN", help="streams, like 'ORDERS_*'; default: all")
    import_.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    import_.add_argument("--force", action="store_true", help="overwrite the file")
    _add_url(import_)
    import_.set_defaults(run=_import)

    return parser


def _add_url(command: argparse.ArgumentParser) -> None:
    command.add_argument("--url", help="default: $NATS_URL, else the server on this machine")


def _validate(options: argparse.Namespace) -> int:
    from provisioner.catalogue.model import reserved
    from provisioner.catalogue.reader import load
    from provisioner.text import approximate_size, counted

    catalogue = load(options.file)
    for note in catalogue.notes:
        print(note, file=sys.stderr)
    size = approximate_size(reserved(catalogue.streams))
    print(f"{options.file}: {counted(len(catalogue.streams), 'stream')}, {size} reserved")
    return 0


def _schema(_options: argparse.Namespace) -> int:
    from provisioner.catalogue.json_schema import catalogue_schema

    print(json.dumps(catalogue_schema(), indent=2, ensure_ascii=False))
    return 0


def _status(options: argparse.Namespace) -> int:
    from provisioner.status.collect import run

    return run(options.catalogue, options.url, options.monitor_url, os.environ, as_json=options.json)


def _backup(options: argparse.Namespace) -> int:
    from provisioner.cli.commands import run_backup

    return run_backup(options.streams, options.to, options.url)


def _restore(options: argparse.Namespace) -> int:
    from provisioner.cli.commands import run_restore

    return run_restore(options.folder, options.streams, options.url)


def _import(options: argparse.Namespace) -> int:
    from provisioner.cli.commands import run_import

    return run_import(options.patterns, options.output, options.url, force=options.force)


if __name__ == "__main__":
    sys.exit(main())
