"""What runs beside a server to watch it: Prometheus, Grafana and the NATS exporter, whoever runs the containers.

They have the host's network, as what they ask and what they offer is on its loopback only. None is root, has a
capability or can get one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from provisioner.watching.places import Places

PROMETHEUS: Final = "prometheus"
GRAFANA: Final = "grafana"
EXPORTER: Final = "exporter"
DASHBOARDS: Final = "/etc/grafana/dashboards"
COMPOSE: Final = "compose.yaml"
CA_FILE: Final = f"{EXPORTER}/ca.pem"
_CA_FOLDER: Final = "/etc/exporter"
_NOBODY: Final = "65534:65534"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A container.

    Attributes:
        name: what it is called among the others; of its files' folder too.
        image: the image.
        user: whom it runs as; the image's own data belongs to that user.
        memory: MiB that it may have.
        address: ``host:port`` on which it listens.
        command: the arguments of the image's program.
        environment: variables by name.
        folders: folders of files by where the container has them.
        data: where it keeps what is to outlive it, if it does.
        ready: the path that answers once it serves, if the image can ask for one.
    """

    name: str
    image: str
    user: str
    memory: int
    address: str
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    data: str | None = None
    ready: str | None = None

    def beside(self, server: str) -> str:
        """What its container, and its volume, are called beside that of a server."""
        return f"{server}-{self.name}"

    def place_of(self, path: str) -> str | None:
        """Where the container has a file; None of another container's."""
        for there, folder in self.folders.items():
            if path.startswith(f"{folder}/"):
                return there + path.removeprefix(folder)
        return None

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.address.rpartition(":")[2])


def parts(places: Places) -> list[Part]:
    """Each of them; the exporter only where there is a monitoring to ask."""
    return [_prometheus(places), _grafana(places), *([_exporter(places)] if places.monitor_url else [])]


def _prometheus(places: Places) -> Part:
    return Part(
        name=PROMETHEUS,
        image=places.prometheus_image,
        user=_NOBODY,
        memory=512,
        address=places.prometheus,
        command=(
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--storage.tsdb.retention.time=30d",
            "--storage.tsdb.retention.size=5GB",
            f"--web.listen-address={places.prometheus}",
        ),
        folders={"/etc/prometheus": PROMETHEUS},
        data="/prometheus",
        ready="/-/ready",
    )


def _grafana(places: Places) -> Part:
    host, _, port = places.grafana.rpartition(":")
    return Part(
        name=GRAFANA,
        image=places.grafana_image,
        user="472:0",
        memory=512,
        address=places.grafana,
        environment={
            "GF_SERVER_HTTP_ADDR": host,
            "GF_SERVER_HTTP_PORT": port,
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        },
        folders={"/etc/grafana/provisioning": f"{GRAFANA}/provisioning", DASHBOARDS: f"{GRAFANA}/dashboards"},
        ready="/api/health",
    )


def _exporter(places: Places) -> Part:
    """Its image has nothing but the program, so nothing in it can ask whether it serves."""
    host, _, port = places.exporter.rpartition(":")
    asks = ("-varz", "-connz", "-jsz=all", "-healthz")
    return Part(
        name=EXPORTER,
        image=places.exporter_image,
        user=_NOBODY,
        memory=128,
        address=places.exporter,
        command=("-addr", host, "-port", port, *asks, *places.monitor_url.split(",")),
        # Of Go's own: it knows no other way to trust a CA.
        environment={"SSL_CERT_FILE": f"{_CA_FOLDER}/ca.pem"} if places.has_ca else {},
        folders={_CA_FOLDER: EXPORTER} if places.has_ca else {},
    )
