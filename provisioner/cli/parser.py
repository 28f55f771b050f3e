"""The commands and their options."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from provisioner.cli.status_options import add_status_options
from provisioner.cli.watching_options import add_alert_options, add_metrics_options, add_monitoring_options
from provisioner.errors import CatalogueError
from provisioner.text import did_you_mean

_DESCRIPTION: Final = "JetStream streams, described in one catalogue."
_OPTION: Final = re.compile(r"--[a-z-]+")
_CATALOGUE: Final = Path(__file__).parents[2] / "infra/streams.yaml"
_HEALTH: Final = "exit code: 0 healthy, 1 drift or warning, 2 critical, 3 unknown; 64 and above: not a state of health"


class Parser(argparse.ArgumentParser):
    """A parser whose usage errors exit with 64: 2 would be a state of health."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and the usage."""
        self.exit(os.EX_USAGE, f"{self.prog}: {message}\n{self.format_usage()}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of a command line; ``module`` names the command's.

    Raises:
        SystemExit: bad usage, or help was asked for.
    """
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        hint = did_you_mean(unknown[0], _OPTION.findall(options.parser.format_usage()))
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return options


def default_catalogue() -> Path:
    """The catalogue of the checkout this package is in, as short as the current folder allows.

    Raises:
        CatalogueError: it is in none: it has been installed.
    """
    if not _CATALOGUE.exists():
        raise CatalogueError("no catalogue is named, and this installation has none of its own: give --catalogue FILE")
    folder = Path.cwd()
    return _CATALOGUE.relative_to(folder) if _CATALOGUE.is_relative_to(folder) else _CATALOGUE


def _parser() -> Parser:
    parser = Parser(prog="streams", description=_DESCRIPTION)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    validate = _command(commands, "validate", "check a catalogue: every problem with its line")
    validate.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the same as --catalogue FILE")
    _add_catalogue(validate)

    _command(commands, "schema", "print the JSON schema of a catalogue")

    status = _command(commands, "status", "compare the catalogue's streams with the server's, and check its health")
    status.epilog = _HEALTH
    _add_catalogue(status)
    _add_url(status)
    status.add_argument("--monitor-url", metavar="URL", help="default: $NATS_MONITOR_URL; empty: do not ask it")
    status.add_argument("stream", nargs="?", metavar="STREAM", help="only this one, in depth; a bucket by its name")
    add_status_options(status)

    drift = _command(commands, "drift", "compare the server with the catalogue, nothing else; for a schedule")
    drift.epilog = "exit code: 0 no drift, 1 drift, 2 it cannot be told"
    _add_catalogue(drift)
    _add_url(drift)
    drift.add_argument("--json", action="store_true", help="print the differences for machines")
    drift.add_argument("--unmanaged", action="store_true", help="count streams and consumers beside it, too")
    drift.add_argument(
        "--state", type=Path, metavar="FILE", help="what pulumi stack export writes: shows streams that were made again"
    )

    _add_smoke(commands)
    _add_watching(commands)

    plan_loss = _command(
        commands, "plan-loss", "show what the catalogue would cost in stored messages; asks, changes nothing"
    )
    plan_loss.set_defaults(module="plan_loss")
    plan_loss.epilog = "exit code: 0 nothing, 1 some messages would be deleted, 2 it cannot be told"
    _add_catalogue(plan_loss)
    _add_url(plan_loss)

    contents = _command(commands, "contents", "show what streams hold: messages, size, age, consumers")
    contents.add_argument("streams", nargs="*", metavar="STREAM", help="default: all")
    _add_url(contents)

    backup = _command(commands, "backup", "write streams to disk: configuration, messages, consumers")
    backup.add_argument("streams", nargs="*", metavar="STREAM", help="default: all of them, buckets included")
    where = backup.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", type=Path, metavar="DIR", help="where each stream gets a folder")
    where.add_argument("--verify", type=Path, metavar="DIR", help="check the backups in it instead; asks no server")
    _add_url(backup)

    restore = _command(commands, "restore", "bring streams back from a backup; a stream with messages is left alone")
    restore.add_argument("folder", type=Path, metavar="DIR", help="a folder that backups were written to")
    restore.add_argument("streams", nargs="*", metavar="STREAM", help="default: all that are in it")
    _add_url(restore)

    credentials = _command(commands, "credentials", "hand one service of the selected stack its key")
    credentials.add_argument("name", metavar="SERVICE", help="as the services' file has it")
    credentials.add_argument(
        "--to", type=Path, metavar="FILE", help="only its owner may read it; default: standard output"
    )

    import_ = _command(commands, "import", "write a catalogue of the streams a server has")
    import_.set_defaults(module="import_")
    import_.add_argument("patterns", nargs="*", metavar="PATTERN", help="streams, like 'ORDERS_*'; default: all")
    import_.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    import_.add_argument("--force", action="store_true", help="overwrite the file")
    _add_url(import_)

    return parser


def _add_smoke(commands: argparse._SubParsersAction[Parser]) -> None:
    smoke = _command(commands, "smoke", "follow a message over every hop of the services' flow; leaves nothing behind")
    smoke.epilog = "exit code: 0 every hop did its part, 1 not"
    _add_catalogue(smoke)
    smoke.add_argument("--services", type=Path, metavar="FILE", help="default: services.yaml beside the catalogue")
    _add_url(smoke)


def _add_watching(commands: argparse._SubParsersAction[Parser]) -> None:
    metrics = _command(commands, "metrics", "give the figures of a status to Prometheus; asks, changes nothing")
    add_metrics_options(metrics)
    _add_catalogue(metrics)
    _add_url(metrics)

    alerts = _command(commands, "alerts", "print the catalogue's alerts as a rule file of Prometheus")
    alerts.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    add_alert_options(alerts)
    _add_catalogue(alerts)

    monitoring = _command(
        commands, "monitoring", "write the files of a Prometheus and a Grafana that watch the catalogue"
    )
    add_monitoring_options(monitoring)
    add_alert_options(monitoring)
    _add_catalogue(monitoring)


def _command(commands: argparse._SubParsersAction[Parser], name: str, summary: str) -> Parser:
    command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    command.set_defaults(parser=command, module=name)
    return command


def _add_catalogue(command: Parser) -> None:
    default = f"default: {default_catalogue()}" if _CATALOGUE.exists() else "a catalogue's file"
    command.add_argument("--catalogue", type=Path, metavar="FILE", help=default)
    command.add_argument("--replicas", type=int, metavar="N", help="num_replicas of a stream that has none of its own")


def _add_url(command: Parser) -> None:
    command.add_argument("--url", help="default: $NATS_URL, else the server on this machine")
