"""``streams monitoring``: the files that Prometheus and Grafana are started with, and how."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from provisioner.catalogue.reader import load
from provisioner.cli.addresses import METRICS, address
from provisioner.cli.parser import default_catalogue
from provisioner.cli.written import write_whole
from provisioner.errors import ProvisionerError
from provisioner.watching.files import PROMETHEUS, PROVISIONING, files_of


def run(options: argparse.Namespace) -> int:
    """Write the files, and print a command for each program; none is started."""
    file, folder = options.catalogue or default_catalogue(), options.to.resolve()
    metrics = str(address("--metrics", options.metrics or METRICS))
    exporter = str(address("--exporter", options.exporter)) if options.exporter else None
    texts = files_of(load(file, options.replicas), str(file), metrics, exporter, str(folder))
    for name, text in texts.items():
        _make_folder((folder / name).parent)
        write_whole(folder / name, text)
    for command in _commands(file, folder, metrics):
        print(command)
    return 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProvisionerError(f"{folder}: cannot be made: {error.strerror}") from error


def _commands(file: Path, folder: Path, metrics: str) -> tuple[str, ...]:
    config, data = shlex.quote(str(folder / PROMETHEUS)), shlex.quote(str(folder / "data"))
    return (
        f"streams metrics --catalogue {shlex.quote(str(file))} --listen {metrics}",
        f"prometheus --config.file={config} --storage.tsdb.path={data} --web.listen-address=127.0.0.1:9090",
        f"GF_SERVER_HTTP_ADDR=127.0.0.1 GF_PATHS_PROVISIONING={shlex.quote(str(folder / PROVISIONING))} grafana server",
    )
