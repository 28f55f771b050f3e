"""The commands for whoever watches with Prometheus, and their options."""

from __future__ import annotations

import argparse
from pathlib import Path

from provisioner.cli.addresses import METRICS


def add_metrics_options(command: argparse.ArgumentParser) -> None:
    """Where the metrics go, and what is known besides the server."""
    to = command.add_mutually_exclusive_group()
    to.add_argument("--output", type=Path, metavar="FILE", help="write it for a node exporter's textfile collector")
    to.add_argument("--listen", metavar="[HOST:]PORT", help="serve it; default host: 127.0.0.1")
    command.add_argument("--history", type=Path, metavar="DIR", help="Pulumi's history of the stack: shows the last up")


def add_alerts_options(command: argparse.ArgumentParser) -> None:
    """Where the rules go."""
    command.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")


def add_monitoring_options(command: argparse.ArgumentParser) -> None:
    """Where the files go, and where the programs listen."""
    command.add_argument("--to", type=Path, metavar="DIR", required=True, help="a folder; it is made")
    command.add_argument("--metrics", metavar="[HOST:]PORT", help=f"of streams metrics; default: {METRICS}")
    command.add_argument("--exporter", metavar="[HOST:]PORT", help="of prometheus-nats-exporter; default: none")
