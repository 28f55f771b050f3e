"""Where what watches a catalogue listens, and the images that it runs from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

METRICS: Final = "127.0.0.1:9770"
EXPORTER: Final = "127.0.0.1:7777"
PROMETHEUS: Final = "127.0.0.1:9090"
GRAFANA: Final = "127.0.0.1:3000"
PROMETHEUS_IMAGE: Final = "prom/prometheus:v3.5.0"
# The dashboard is built with the library of this version.
GRAFANA_IMAGE: Final = "grafana/grafana:11.6.0"
EXPORTER_IMAGE: Final = "natsio/prometheus-nats-exporter:0.20.1"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things are, as ``host:port``, and what they run from.

    Attributes:
        metrics: what ``streams metrics --listen`` has.
        exporter: the NATS exporter, if there is one.
        prometheus: Prometheus.
        grafana: Grafana.
        monitor_url: of nats-server's monitoring, which the exporter asks; empty for no exporter.
        has_ca: whether the exporter trusts a CA of its own, whose PEM is the file ``CA_FILE``.
        interval_s: seconds between two scrapes.
        prometheus_image: Prometheus' image.
        grafana_image: Grafana's.
        exporter_image: the exporter's.
    """

    metrics: str = METRICS
    exporter: str = EXPORTER
    prometheus: str = PROMETHEUS
    grafana: str = GRAFANA
    monitor_url: str = ""
    has_ca: bool = False
    interval_s: int = 15
    prometheus_image: str = PROMETHEUS_IMAGE
    grafana_image: str = GRAFANA_IMAGE
    exporter_image: str = EXPORTER_IMAGE
