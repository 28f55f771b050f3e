"""What watches the streams, where the stack is to have it: containers beside its own, or files for somebody to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pulumi

from infra.setting_types import DOCKER
from provisioner.resources.own_server import Files, Password
from provisioner.watching.parts import CA_FILE, COMPOSE, GRAFANA, PROMETHEUS, parts
from provisioner.watching.places import Places

if TYPE_CHECKING:
    from infra.monitoring_settings import Monitoring
    from infra.servers import Place
    from infra.settings import Settings
    from provisioner.catalogue.model import Catalogue
    from provisioner.resources.own_server import Estate

_LOOPBACK: Final = "127.0.0.1"
_FOLDER: Final = "monitoring"
# As long as alerts are held by default: `streams alerts --for`.
_HELD_NS: Final = 120 * 10**9


def ports(settings: Settings, place: Place) -> dict[str, int]:
    """The port of each container that the stack has beside its server, by the container's name."""
    if settings.monitoring is None or place.docker is None:
        return {}
    watching = parts(_places(settings.monitoring, place.monitor_url, has_ca=False))
    return {part.beside(place.docker.name): part.port for part in watching}


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is watched.

    Attributes:
        settings: the stack's settings.
        catalogue: its streams.
        place: their server.
        estate: whose marks the containers get.
        ca: PEM of the CA that the monitoring's certificate is of, if it has one of its own.
    """

    settings: Settings
    catalogue: Catalogue
    place: Place
    estate: Estate
    ca: pulumi.Input[str] | None

    def declare(self, after: Sequence[pulumi.Resource]) -> Iterator[pulumi.Resource]:
        """Declare what watches it, and what the stack says of that; nothing where the settings do not ask for it.

        Args:
            after: what is there first: what watches streams is nothing that they wait for.
        """
        watched = self.settings.monitoring
        if watched is None:
            return
        password = Password("grafana-password", pulumi.ResourceOptions(depends_on=[self.estate]))
        yield password
        places = _places(watched, self.place.monitor_url, has_ca=self.ca is not None)
        opts = pulumi.ResourceOptions(depends_on=[self.estate, *after])
        if self.settings.server == DOCKER:
            yield from self._containers(places, password.password, opts)
        else:
            yield self._files(places, opts)
        pulumi.export("grafana_password", password.password)
        pulumi.export("monitoring", self._said(places))

    def _containers(
        self, places: Places, password: pulumi.Output[str], opts: pulumi.ResourceOptions
    ) -> Iterator[pulumi.Resource]:
        # Grafana's library and pulumi_docker are slow to import.
        from infra.servers.docker_monitoring import Watching  # noqa: PLC0415
        from provisioner.watching.files import configuration  # noqa: PLC0415

        files = {**configuration(self.catalogue, places, _HELD_NS), **self._trusted}
        watching = Watching(settings=self.settings, files=files, password=password, estate=self.estate, opts=opts)
        return watching.declare(parts(places))

    def _files(self, places: Places, opts: pulumi.ResourceOptions) -> Files:
        from provisioner.watching.files import monitoring_files  # noqa: PLC0415 - as above

        files = {**monitoring_files(self.catalogue, places, _HELD_NS), **self._trusted}
        return Files("monitoring", folder=str(self._folder), files=files, opts=opts)

    @property
    def _trusted(self) -> dict[str, pulumi.Input[str]]:
        return {CA_FILE: self.ca} if self.ca is not None and self.place.monitor_url else {}

    @property
    def _folder(self) -> Path:
        return Path(_FOLDER, self.settings.stack).absolute()

    def _said(self, places: Places) -> dict[str, str]:
        """Where it is met, and what is left to somebody to run."""
        compose = (
            "GRAFANA_PASSWORD=$(pulumi stack output grafana_password --show-secrets) "
            f"docker compose --file {self._folder}/{COMPOSE} up --detach"
        )
        return {
            PROMETHEUS: f"http://{places.prometheus}",
            GRAFANA: f"http://{places.grafana}",
            "run_metrics": f"make metrics STACK={self.settings.stack} ARGS='--listen {places.metrics}'",
            **({} if self.settings.server == DOCKER else {"run_containers": compose}),
        }


def _places(watched: Monitoring, monitor_url: str | None, *, has_ca: bool) -> Places:
    return Places(
        metrics=f"{_LOOPBACK}:{watched.metrics_port}",
        exporter=f"{_LOOPBACK}:{watched.exporter_port}",
        prometheus=f"{_LOOPBACK}:{watched.prometheus_port}",
        grafana=f"{_LOOPBACK}:{watched.grafana_port}",
        monitor_url=monitor_url or "",
        has_ca=has_ca,
        prometheus_image=watched.prometheus_image,
        grafana_image=watched.grafana_image,
        exporter_image=watched.exporter_image,
    )
