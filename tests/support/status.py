"""``streams status`` as its users run it, and what it tells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60


class Urls(Protocol):
    """A server, or as many as a cluster has."""

    @property
    def url(self) -> str:
        """For clients."""

    @property
    def monitor_url(self) -> str:
        """Of the monitoring."""


@dataclass(frozen=True)
class Address:
    """Somebody else's server."""

    url: str
    monitor_url: str


def status(server: Urls, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it on a server; nothing of this machine's own NATS settings gets in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NATS_")}
    urls = {"NATS_URL": server.url, "NATS_MONITOR_URL": server.monitor_url}
    return subprocess.run(
        [sys.executable, "-m", "provisioner", "status", *options],
        check=False,
        cwd=ROOT,
        env=clean | urls | environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def told(server: Urls, *options: str, **environment: str) -> dict[str, Any]:
    """What it tells machines, the exit code being the one it names."""
    done = status(server, "--json", *options, **environment)
    report: dict[str, Any] = json.loads(done.stdout)
    assert ("", report["exit_code"]) == (done.stderr, done.returncode)
    return report


def states(report: dict[str, Any]) -> dict[str, str]:
    """The state of each stream."""
    return {stream["name"]: stream["state"] for stream in report["streams"]}


def found(report: dict[str, Any], severity: str) -> dict[str, str]:
    """The checks of this severity, by name."""
    return {check["name"]: check["text"] for check in report["checks"] if check["severity"] == severity}
