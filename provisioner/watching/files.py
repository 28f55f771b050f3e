"""The files that Prometheus and Grafana are started with."""

from __future__ import annotations

from typing import Any, Final

import yaml

from provisioner.catalogue.model import Catalogue
from provisioner.watching.alerts import rules_text
from provisioner.watching.dashboard import dashboard_text

PROMETHEUS: Final = "prometheus.yml"
PROVISIONING: Final = "grafana/provisioning"
_RULES: Final = "rules.yml"
_DASHBOARDS: Final = "grafana/dashboards"
_HEADER: Final = "# Written by: streams monitoring\n\n"
_INTERVAL: Final = "15s"
# A status of a cluster outlasts an election, 12 s: a shorter timeout would end the scrape that tells of a lost quorum.
_TIMEOUT: Final = _INTERVAL


def files_of(catalogue: Catalogue, file: str, metrics: str, exporter: str | None, folder: str) -> dict[str, str]:
    """Each file's text, by its path below the folder.

    Args:
        catalogue: whose rules and dashboard they are.
        file: what the rules say they were made from.
        metrics: where ``streams metrics`` listens, ``HOST:PORT``.
        exporter: where the prometheus-nats-exporter listens; None for none.
        folder: where Grafana finds them.
    """
    return {
        PROMETHEUS: _yaml(_prometheus(metrics, exporter)),
        _RULES: rules_text(catalogue, file),
        f"{_DASHBOARDS}/streams.json": dashboard_text(catalogue),
        f"{PROVISIONING}/dashboards/streams.yml": _yaml(_provider(f"{folder}/{_DASHBOARDS}")),
        f"{PROVISIONING}/datasources/prometheus.yml": _yaml(_DATASOURCE),
    }


def _prometheus(metrics: str, exporter: str | None) -> dict[str, Any]:
    jobs = {"streams": metrics, **({"nats": exporter} if exporter else {})}
    return {
        "global": {"scrape_interval": _INTERVAL, "scrape_timeout": _TIMEOUT, "evaluation_interval": _INTERVAL},
        "rule_files": [_RULES],
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [address]}]} for name, address in jobs.items()
        ],
    }


def _provider(dashboards: str) -> dict[str, Any]:
    return {"apiVersion": 1, "providers": [{"name": "streams", "type": "file", "options": {"path": dashboards}}]}


_DATASOURCE: Final = {
    "apiVersion": 1,
    "datasources": [
        {
            "name": "Prometheus",
            "type": "prometheus",
            "access": "proxy",
            "url": "http://127.0.0.1:9090",
            "isDefault": True,
            "jsonData": {"timeInterval": _INTERVAL},
        }
    ],
}


def _yaml(content: dict[str, Any]) -> str:
    return _HEADER + yaml.safe_dump(content, sort_keys=False)
