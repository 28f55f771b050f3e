"""A real Prometheus for a test, with files that ``streams monitoring`` has written, only faster."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.ports import free_port
from tests.support.waiting import until

_DEADLINE_S = 30.0
# No proxy: it is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Prometheus:
    """One that runs; ``url`` is where it answers."""

    url: str

    def alerts(self) -> set[str]:
        """Those that fire: name and stream."""
        found = self._get("/api/v1/alerts")["data"]["alerts"]
        return {
            f"{each['labels']['alertname']} {each['labels'].get('stream', '')}".strip()
            for each in found
            if each["state"] == "firing"
        }

    def query(self, expression: str) -> list[Any]:
        """What PromQL has as its result now."""
        words = urllib.parse.urlencode({"query": expression})
        result: list[Any] = self._get(f"/api/v1/query?{words}")["data"]["result"]
        return result

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            with _OPENER.open(f"{self.url}/-/ready", timeout=_DEADLINE_S):
                return True
        except OSError:
            return False

    def _get(self, path: str) -> Any:
        with _OPENER.open(self.url + path, timeout=_DEADLINE_S) as answer:
            return json.load(answer)


def hasten(folder: Path) -> None:
    """Scrape and evaluate every second; what has to last for minutes lasts for a second."""
    config, rules = folder / "prometheus.yml", folder / "rules.yml"
    config.write_text(re.sub(r"(interval|timeout): \w+", r"\1: 1s", config.read_text()))
    rules.write_text(re.sub(r"for: \w+", "for: 1s", rules.read_text()))


@contextmanager
def running(folder: Path) -> Iterator[Prometheus]:
    """One with the files of this folder; ended, whatever happens."""
    program = shutil.which("prometheus")
    assert program, "no prometheus: apt-get install prometheus"
    listen = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={listen}",
    ]
    with (folder / "prometheus.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            prometheus = Prometheus(f"http://{listen}")
            until("prometheus is ready", prometheus.is_ready, _DEADLINE_S)
            yield prometheus
        finally:
            process.kill()
