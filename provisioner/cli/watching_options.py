"""The options of the commands for whoever watches: ``metrics``, ``alerts`` and ``monitoring``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final, TypeAlias

from provisioner.units import parse_duration

_LOOPBACK: Final = "127.0.0.1"
_PORT: Final = 9770
_LARGEST_PORT: Final = 65535
_HELD: Final = "2m"

Address: TypeAlias = tuple[str, int]


def add_metrics_options(command: argparse.ArgumentParser) -> None:
    """Where the figures go."""
    command.add_argument("--monitor-url", metavar="URL", help="default: $NATS_MONITOR_URL; empty: do not ask it")
    history = "what pulumi stack history --json writes, or a local backend's folder of it: shows the last up"
    command.add_argument("--history", type=Path, metavar="PATH", help=history)
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--output", type=Path, metavar="FILE", help="for node_exporter's textfile collector; at once or not at all"
    )
    where.add_argument(
        "--listen",
        type=_address,
        metavar="[HOST:]PORT",
        help=f"serve /metrics, like {_PORT}; on {_LOOPBACK} without HOST",
    )


def add_alert_options(command: argparse.ArgumentParser) -> None:
    """How patient they are."""
    patience = f"how long something is wrong before somebody is told; default: {_HELD}"
    command.add_argument("--for", dest="held", type=_duration, default=_HELD, metavar="TIME", help=patience)


def add_monitoring_options(command: argparse.ArgumentParser) -> None:
    """Where the files go, and where the figures come from."""
    command.add_argument(
        "--to", type=Path, default=Path("monitoring"), metavar="DIR", help="default: monitoring; files are overwritten"
    )
    command.add_argument(
        "--metrics",
        type=_address,
        default=(_LOOPBACK, _PORT),
        metavar="[HOST:]PORT",
        help="of streams metrics --listen",
    )
    exporter = "nats-server's monitoring: runs prometheus-nats-exporter on it too"
    command.add_argument("--exporter", default="", metavar="URL", help=exporter)
    trusted = "PEM of the CA that the certificate of that monitoring is of"
    command.add_argument("--exporter-ca", type=Path, metavar="FILE", help=trusted)


def _address(text: str) -> Address:
    """``9770``, ``127.0.0.1:9770`` or ``[::1]:9770``."""
    host, _, port = text.rpartition(":")
    if port.isdecimal() and int(port) <= _LARGEST_PORT:
        return host.strip("[]") or _LOOPBACK, int(port)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port, or a host and a port; write it like {_LOOPBACK}:{_PORT}")


def _duration(text: str) -> int:
    """Nanoseconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
