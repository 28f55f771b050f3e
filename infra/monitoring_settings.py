"""The settings of what watches the streams: an exporter, Prometheus and Grafana."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.setting_types import SERVERS, Setting, port, switch, text
from provisioner.watching.places import EXPORTER_IMAGE, GRAFANA_IMAGE, PROMETHEUS_IMAGE

_SWITCH: Final = "monitoring"
_PORTS: Final = ("metricsPort", "exporterPort", "prometheusPort", "grafanaPort")

MONITORING_TABLE: Final = (
    Setting(_SWITCH, switch, "false", SERVERS, "Whether Prometheus and Grafana watch the streams: true or false."),
    Setting("metricsPort", port, "9770", SERVERS, "Port on which streams metrics listens, for Prometheus."),
    Setting("exporterPort", port, "7777", SERVERS, "Port of the NATS exporter."),
    Setting("prometheusPort", port, "9090", SERVERS, "Port of Prometheus."),
    Setting("grafanaPort", port, "3000", SERVERS, "Port of Grafana."),
    Setting("exporterImage", text, EXPORTER_IMAGE, SERVERS, "The exporter's image."),
    Setting("prometheusImage", text, PROMETHEUS_IMAGE, SERVERS, "Prometheus' image."),
    Setting("grafanaImage", text, GRAFANA_IMAGE, SERVERS, "Grafana's image."),
)


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What watches a stack; all of it listens on this machine's loopback only."""

    metrics_port: int
    exporter_port: int
    prometheus_port: int
    grafana_port: int
    exporter_image: str
    prometheus_image: str
    grafana_image: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Monitoring | None:
        """Take it from the values of all settings; None where nothing is to be watched."""
        if not values[_SWITCH]:
            return None
        return cls(
            metrics_port=values["metricsPort"],
            exporter_port=values["exporterPort"],
            prometheus_port=values["prometheusPort"],
            grafana_port=values["grafanaPort"],
            exporter_image=values["exporterImage"],
            prometheus_image=values["prometheusImage"],
            grafana_image=values["grafanaImage"],
        )


def unused(raw: Mapping[str, str]) -> Iterator[str]:
    """Settings that say how, where nothing is to be watched."""
    if raw.get(_SWITCH) != "true":
        details = (setting.key for setting in MONITORING_TABLE[1:])
        yield from (f"{key}: has no use without {_SWITCH}: true; remove it" for key in details if key in raw)


def monitoring_ports(values: Mapping[str, Any]) -> dict[str, int]:
    """The ports that it takes, by the names of their settings."""
    return {key: values[key] for key in _PORTS if values[key]} if values[_SWITCH] else {}
