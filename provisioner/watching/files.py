"""The files of a Prometheus and a Grafana that watch a catalogue, and of the containers that run them."""

from __future__ import annotations

from typing import Any, Final

import yaml

from provisioner.catalogue.model import Catalogue
from provisioner.watching.alerts import groups
from provisioner.watching.dashboard import dashboard_json
from provisioner.watching.parts import COMPOSE, DASHBOARDS, GRAFANA, PROMETHEUS, Part, parts
from provisioner.watching.places import Places
from provisioner.watching.rule_file import rule_file

_RULES: Final = "rules/streams.yml"
_PASSWORD: Final = "${GRAFANA_PASSWORD:?the password that admin is to have}"


def monitoring_files(catalogue: Catalogue, places: Places, held_ns: int) -> dict[str, str]:
    """Text by path: all that a Prometheus and a Grafana need, and what runs them.

    Args:
        catalogue: what they watch.
        places: where they find the figures.
        held_ns: nanoseconds for which something has to be wrong before its alert fires.
    """
    return {**configuration(catalogue, places, held_ns), COMPOSE: _yaml(_compose(places))}


def configuration(catalogue: Catalogue, places: Places, held_ns: int) -> dict[str, str]:
    """Text by path: what the containers read, each in a folder of its own; arguments as of ``monitoring_files``."""
    return {
        f"{PROMETHEUS}/prometheus.yml": _prometheus_yml(places),
        f"{PROMETHEUS}/{_RULES}": rule_file(groups(catalogue), held_ns),
        f"{GRAFANA}/dashboards/streams.json": dashboard_json(catalogue),
        f"{GRAFANA}/provisioning/datasources/prometheus.yml": _yaml(_data_source(places)),
        f"{GRAFANA}/provisioning/dashboards/streams.yml": _yaml(_PROVIDER),
    }


def _prometheus_yml(places: Places) -> str:
    """Prometheus' own configuration; paths in it are relative to it."""
    each = f"{places.interval_s}s"
    jobs = {"streams": places.metrics, **({"nats": places.exporter} if places.monitor_url else {})}
    return _yaml(
        {
            "global": {"scrape_interval": each, "evaluation_interval": each},
            "rule_files": [_RULES],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in jobs.items()
            ],
        }
    )


def _data_source(places: Places) -> dict[str, Any]:
    url = f"http://{places.prometheus}"
    source = {"name": "Prometheus", "type": "prometheus", "access": "proxy", "url": url, "isDefault": True}
    return {"apiVersion": 1, "datasources": [source]}


_PROVIDER: Final = {
    "apiVersion": 1,
    "providers": [{"name": "streams", "type": "file", "options": {"path": DASHBOARDS}}],
}


def _compose(places: Places) -> dict[str, Any]:
    services = {part.name: _service(part) for part in parts(places)}
    grafana = services[GRAFANA]
    grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD"] = _PASSWORD
    grafana["tmpfs"] = ["/var/lib/grafana:uid=472", "/tmp"]  # noqa: S108 - the container's own
    return {"name": "streams-monitoring", "services": services, "volumes": {PROMETHEUS: {}}}


def _service(part: Part) -> dict[str, Any]:
    """Folders are mounted, not files: one that is written anew is another file, and the container has the old one."""
    mounts = [f"./{folder}:{there}:ro" for there, folder in part.folders.items()]
    data = [f"{part.name}:{part.data}"] if part.data else []
    return {
        "image": part.image,
        "user": part.user,
        "network_mode": "host",
        "restart": "unless-stopped",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": f"{part.memory}m",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        **({"command": [*part.command]} if part.command else {}),
        **({"environment": {**part.environment}} if part.environment else {}),
        **({"volumes": mounts + data} if mounts or data else {}),
    }


def _yaml(body: dict[str, Any]) -> str:
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True)
