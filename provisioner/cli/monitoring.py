"""``streams monitoring``: the files of a Prometheus and a Grafana that watch the catalogue."""

from __future__ import annotations

import argparse
from pathlib import Path

from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.errors import ProvisionerError
from provisioner.text_files import write_readable
from provisioner.watching.files import monitoring_files
from provisioner.watching.parts import CA_FILE, COMPOSE
from provisioner.watching.places import Places


def run(options: argparse.Namespace) -> int:
    """Write the files, those that are there already over again, and say how to run them."""
    catalogue = load(options.catalogue or default_catalogue(), options.replicas)
    metrics = ":".join(map(str, options.metrics))
    places = Places(metrics=metrics, monitor_url=options.exporter, has_ca=options.exporter_ca is not None)
    trusted = {CA_FILE: _read(options.exporter_ca)} if options.exporter_ca else {}
    for path, text in {**monitoring_files(catalogue, places, options.held), **trusted}.items():
        write_readable(options.to / path, text)
    print(f"{options.to}: written. To run them, each in a terminal of its own or as a service:")
    print(f"  streams metrics --listen {metrics}")
    print(f"  GRAFANA_PASSWORD=… docker compose --file {options.to}/{COMPOSE} up")
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProvisionerError(f"--exporter-ca: {file}: cannot be read: {error}") from error
