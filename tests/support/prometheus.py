"""A real Prometheus for a test, and promtool; of the Debian package, or from wherever they are on PATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.ports import free_port
from tests.support.waiting import until

_DEADLINE_S = 30.0


def program(name: str) -> str:
    """``prometheus`` or ``promtool``; skips the test where there is none, which CI does not accept."""
    found = shutil.which(name)
    if not found:
        (pytest.fail if os.environ.get("REQUIRE_ENGINES") else pytest.skip)(f"no {name} on PATH: install prometheus")
    return found


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run promtool to its end."""
    command = [program("promtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    url: str

    def firing(self) -> set[tuple[str, str, str]]:
        """The alerts that fire: name, severity, stream."""
        alerts = self._get("alerts")["alerts"]
        labels = [alert["labels"] for alert in alerts if alert["state"] == "firing"]
        return {(each["alertname"], each["severity"], each.get("stream", "")) for each in labels}

    def value(self, query: str) -> float | None:
        """The value of a query with one result, if it has one."""
        result = self._get(f"query?query={query}")["result"]
        return float(result[0]["value"][1]) if result else None

    def rule_groups(self) -> set[str]:
        """The names of the groups of rules that it has."""
        return {group["name"] for group in self._get("rules")["groups"]}

    def is_ready(self) -> bool:
        """Whether it answers, and has read what it had."""
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:  # noqa: S310 - http
            return bool(answer.status == 200)
        return False

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/api/v1/{quote(path, safe='?=')}", timeout=_DEADLINE_S) as response:  # noqa: S310 - http
            return dict(json.load(response)["data"])


@contextmanager
def prometheus(folder: Path, config: Path) -> Iterator[Prometheus]:
    """One with this configuration and its data in a folder; ended, whatever happens."""
    address = f"127.0.0.1:{free_port()}"
    options = [f"--config.file={config}", f"--storage.tsdb.path={folder}", f"--web.listen-address={address}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([program("prometheus"), *options], stdout=log, stderr=log)
    try:
        started = Prometheus(f"http://{address}")
        until("Prometheus is ready", started.is_ready, _DEADLINE_S)
        yield started
    finally:
        process.terminate()
        process.wait(_DEADLINE_S)
