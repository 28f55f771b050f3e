"""``streams status``: the catalogue's streams compared with the server's, and its health."""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime

from provisioner.cli.parser import default_catalogue
from provisioner.status.collect import collect
from provisioner.status.render import console, show
from provisioner.status.report import plain


def run(options: argparse.Namespace) -> int:
    """Print a report; the exit code is its severity."""
    file = options.catalogue or default_catalogue()
    report = collect(file, options.url, options.monitor_url, os.environ, options.replicas)
    if options.json:
        print(json.dumps(plain(report), indent=2))
    else:
        show(report, console(), datetime.now(UTC))
    return report.severity.value
