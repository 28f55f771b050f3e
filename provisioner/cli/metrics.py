"""``streams metrics``: what status finds as figures for Prometheus: printed, in a file, or asked for by HTTP."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import start_http_server, write_to_textfile

from provisioner.cli.parser import default_catalogue
from provisioner.errors import ProvisionerError
from provisioner.log import tell
from provisioner.status.collect import Wishes, collect
from provisioner.status.history import last_successful_up
from provisioner.watching.exposition import registry, text
from provisioner.watching.samples import Sample, samples


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
        ProvisionerError: the history of ups cannot be read.
    """
    last_up = last_successful_up(options.history) if options.history else None
    file = options.catalogue or default_catalogue()
    report = collect(file, options.url, options.monitor_url, os.environ, Wishes(replicas=options.replicas))
    for problem in (result for result in report.server if result.name == "input"):
        raise ProvisionerError(problem.text)
    yield from samples(report, datetime.now(UTC), last_up)


def _serve(options: argparse.Namespace) -> None:
    host, port = options.listen
    asking = threading.Lock()

    def taken() -> list[Sample]:
        with asking:  # of several who ask at once, each gets an answer of its own
            return [*_taken(options)]

    try:
        server, thread = start_http_server(port, host, registry(taken))
    except OSError as error:
        raise ProvisionerError(f"{host}:{port}: {error.strerror}; choose another with --listen") from error
    tell(f"metrics at http://{host}:{server.server_port}/metrics")
    try:
        thread.join()
    finally:
        server.shutdown()
        server.server_close()
