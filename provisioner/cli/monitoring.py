"""``streams monitoring``: the files of a Prometheus and a Grafana that watch the catalogue."""

from __future__ import annotations

import argparse
from pathlib import Path

from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.cli.written import write_whole
from provisioner.errors import ProvisionerError
from provisioner.watching.files import Places, monitoring_files


def run(options: argparse.Namespace) -> int:
    """Write the files, those that are there already over again, and say how to run them."""
    catalogue = load(options.catalogue or default_catalogue(), options.replicas)
    metrics = ":".join(map(str, options.metrics))
    places = Places(metrics=metrics, monitor_url=options.exporter)
    for path, text in monitoring_files(catalogue, places, options.held).items():
        _write(options.to / path, text)
    print(f"{options.to}: written. To run them, each in a terminal of its own or as a service:")
    print(f"  streams metrics --listen {metrics}")
    print(f"  GRAFANA_PASSWORD=… docker compose --file {options.to}/compose.yaml up")
    return 0


def _write(file: Path, text: str) -> None:
    """For everybody to read, as containers have users of their own; there is no secret in it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text)
        file.parent.chmod(0o755)
        file.chmod(0o644)
    except OSError as error:
        raise ProvisionerError(f"{file.parent}: cannot be made: {error.strerror}") from error
