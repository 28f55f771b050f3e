"""``streams status``: the catalogue's streams compared with the server's, and its health."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from provisioner.cli.parser import default_catalogue
from provisioner.log import tell
from provisioner.status.collect import Wishes, collect
from provisioner.status.nagios import nagios
from provisioner.status.render import console, show
from provisioner.status.report import Report, plain
from provisioner.status.thresholds import ConsumerThresholds, Levels, StreamThresholds, Thresholds


def run(options: argparse.Namespace) -> int:
    """Print a report; the exit code is its severity. Watched, it is 0 whatever was seen."""
    if options.watch is not None:
        return _watched(options)
    report = _look(options)
    _FORMATS[options.format](report)
    return report.severity.value


def _look(options: argparse.Namespace) -> Report:
    file = options.catalogue or default_catalogue()
    wishes = Wishes(
        replicas=options.replicas,
        thresholds=_thresholds(options),
        stream=options.stream,
        warns_of_unmanaged=options.unmanaged == "warn",
    )
    return collect(file, options.url, options.monitor_url, os.environ, wishes)


def _thresholds(options: argparse.Namespace) -> Thresholds:
    return Thresholds(
        stream=StreamThresholds(
            used=Levels(options.used_warning, options.used_critical), expect_every=options.no_message_for
        ),
        consumer=ConsumerThresholds(
            lag=Levels(options.lag_warning, options.lag_critical),
            redelivered=Levels(options.redelivered_warning, options.redelivered_critical),
        ),
    )


def _watched(options: argparse.Namespace) -> int:
    if not sys.stdout.isatty() or options.format != "table":
        tell("streams status: --watch draws on a terminal; for a pipe or a program leave it out")
        return os.EX_USAGE
    from provisioner.cli.watch import watch  # noqa: PLC0415 - rich's live display is for this alone

    watch(lambda: _look(options), options.watch, console())
    return 0


_FORMATS: Final[Mapping[str, Callable[[Report], None]]] = {
    "table": lambda report: show(report, console(), datetime.now(UTC)),
    "json": lambda report: print(json.dumps(plain(report), indent=2)),
    "nagios": lambda report: print(nagios(report)),
}
