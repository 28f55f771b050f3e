"""The files of a Prometheus and a Grafana that watch a catalogue, and of the containers that run them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

from provisioner.catalogue.model import Catalogue
from provisioner.watching.alerts import groups
from provisioner.watching.dashboard import dashboard_json
from provisioner.watching.rule_file import rule_file

METRICS: Final = "127.0.0.1:9770"
EXPORTER: Final = "127.0.0.1:7777"
PROMETHEUS: Final = "127.0.0.1:9090"
GRAFANA: Final = "127.0.0.1:3000"
RULES: Final = "rules/streams.yml"
PROMETHEUS_IMAGE: Final = "prom/prometheus:v3.5.0"
# The dashboard is built with the library of this version.
GRAFANA_IMAGE: Final = "grafana/grafana:11.6.0"
EXPORTER_IMAGE: Final = "natsio/prometheus-nats-exporter:0.17.3"

_ETC: Final = PurePosixPath("/etc/grafana/provisioning")
_DASHBOARDS: Final = PurePosixPath("/etc/grafana/dashboards")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things are.

    Attributes:
        metrics: host and port that ``streams metrics --listen`` has.
        monitor_url: of nats-server's monitoring, which the exporter asks; empty for no exporter.
        interval_s: seconds between two scrapes.
    """

    metrics: str = METRICS
    monitor_url: str = ""
    interval_s: int = 15


def monitoring_files(catalogue: Catalogue, places: Places, held_ns: int) -> dict[str, str]:
    """Text by path: all that a Prometheus and a Grafana need.

    Args:
        catalogue: what they watch.
        places: where they find the figures.
        held_ns: nanoseconds for which something has to be wrong before its alert fires.
    """
    return {
        "prometheus.yml": prometheus_yml(places),
        RULES: rule_file(groups(catalogue), held_ns),
        "grafana/dashboards/streams.json": dashboard_json(catalogue),
        "grafana/provisioning/datasources/prometheus.yml": _yaml(_DATA_SOURCE),
        "grafana/provisioning/dashboards/streams.yml": _yaml(_PROVIDER),
        "compose.yaml": _yaml(_compose(places)),
    }


def prometheus_yml(places: Places) -> str:
    """Prometheus' own configuration; paths in it are relative to it."""
    each = f"{places.interval_s}s"
    jobs = {"streams": places.metrics, **({"nats": EXPORTER} if places.monitor_url else {})}
    return _yaml(
        {
            "global": {"scrape_interval": each, "evaluation_interval": each},
            "rule_files": [RULES],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in jobs.items()
            ],
        }
    )


_DATA_SOURCE: Final = {
    "apiVersion": 1,
    "datasources": [
        {
            "name": "Prometheus",
            "type": "prometheus",
            "access": "proxy",
            "url": f"http://{PROMETHEUS}",
            "isDefault": True,
        }
    ],
}
_PROVIDER: Final = {
    "apiVersion": 1,
    "providers": [{"name": "streams", "type": "file", "options": {"path": str(_DASHBOARDS)}}],
}


def _compose(places: Places) -> dict[str, Any]:
    services = {"prometheus": _prometheus(), "grafana": _grafana()}
    exporter = {"exporter": _exporter(places.monitor_url)} if places.monitor_url else {}
    return {"name": "streams-monitoring", "services": {**services, **exporter}, "volumes": {"prometheus": {}}}


def _hardened(image: str, memory: str) -> dict[str, Any]:
    """On the host's network, as what they ask and what they offer is on its loopback only."""
    return {
        "image": image,
        "network_mode": "host",
        "restart": "unless-stopped",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": memory,
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }


def _prometheus() -> dict[str, Any]:
    return _hardened(PROMETHEUS_IMAGE, "512m") | {
        "command": [
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--storage.tsdb.retention.time=30d",
            "--storage.tsdb.retention.size=5GB",
            f"--web.listen-address={PROMETHEUS}",
        ],
        "volumes": [
            "./prometheus.yml:/etc/prometheus/prometheus.yml:ro",
            "./rules:/etc/prometheus/rules:ro",
            "prometheus:/prometheus",
        ],
    }


def _grafana() -> dict[str, Any]:
    host, _, port = GRAFANA.partition(":")
    return _hardened(GRAFANA_IMAGE, "512m") | {
        "environment": {
            "GF_SERVER_HTTP_ADDR": host,
            "GF_SERVER_HTTP_PORT": port,
            "GF_SECURITY_ADMIN_PASSWORD": "${GRAFANA_PASSWORD:?the password that admin is to have}",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        },
        "tmpfs": ["/var/lib/grafana:uid=472", "/tmp"],  # noqa: S108 - the container's own
        "volumes": [f"./grafana/provisioning:{_ETC}:ro", f"./grafana/dashboards:{_DASHBOARDS}:ro"],
    }


def _exporter(monitor_url: str) -> dict[str, Any]:
    host, _, port = EXPORTER.partition(":")
    return _hardened(EXPORTER_IMAGE, "128m") | {
        "command": ["-addr", host, "-port", port, "-varz", "-connz", "-jsz=all", "-healthz", *monitor_url.split(",")],
    }


def _yaml(body: dict[str, Any]) -> str:
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True)
