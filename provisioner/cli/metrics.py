"""``streams metrics``: what status finds as figures for Prometheus: printed, in a file, or asked for by HTTP."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from prometheus_client import start_http_server, write_to_textfile

from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.cli.patient import Patient
from provisioner.errors import ProvisionerError
from provisioner.log import tell
from provisioner.status.collect import Wishes, collect
from provisioner.status.history import last_successful_up
from provisioner.watching.exposition import registry, text
from provisioner.watching.samples import Sample, samples

# Less than Prometheus waits where nothing else is said, which is 10 s.
_PATIENCE_S: Final = 8.0


def run(options: argparse.Namespace) -> int:
    """Take the figures once, or whenever somebody asks until the process is ended."""
    if options.listen:
        _serve(options)
    elif options.output:
        write_to_textfile(str(options.output), registry(lambda: _taken(options)))
    else:
        print(text(_taken(options)), end="")
    return 0


def _taken(options: argparse.Namespace) -> Iterator[Sample]:
    """What the server says now.

    Raises:
        ProvisionerError: the catalogue, the URL or the history of ups cannot be read.
    """
    last_up = last_successful_up(options.history) if options.history else None
    report = collect(
        _catalogue(options), options.url, options.monitor_url, os.environ, Wishes(replicas=options.replicas)
    )
    if problems := [result.text for result in report.server if result.name == "input"]:
        raise ProvisionerError("\n".join(problems))
    yield from samples(report, datetime.now(UTC), last_up)


def _catalogue(options: argparse.Namespace) -> Path:
    return options.catalogue or default_catalogue()


def _serve(options: argparse.Namespace) -> None:
    """Answer until the process is ended.

    Raises:
        ProvisionerError: somebody has the port, or there is nothing to begin with: the catalogue cannot be read.
    """
    host, port = options.listen
    load(_catalogue(options), options.replicas)
    try:
        server, thread = start_http_server(port, host, registry(Patient(lambda: _taken(options), _PATIENCE_S)))
    except OSError as error:
        raise ProvisionerError(f"{host}:{port}: {error.strerror}; choose another with --listen") from error
    tell(f"metrics at http://{host}:{server.server_port}/metrics")
    try:
        thread.join()
    finally:
        server.shutdown()
        server.server_close()
