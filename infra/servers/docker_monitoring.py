"""What watches a stack's streams, in containers beside its server's, with the host's network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pulumi
import pulumi_docker as docker

from infra.servers import container
from infra.servers.docker import LOG_LIMITS, docker_place, listed, own_labels
from infra.servers.orphans import Orphans
from provisioner.docker_engine.holdings import PORT_LABEL
from provisioner.schema.model import OnDelete
from provisioner.watching.parts import GRAFANA, Part

if TYPE_CHECKING:
    from infra.settings import Settings
    from provisioner.resources.own_server import Estate

# The engine shows a container's environment to whoever asks, and no file.
_PASSWORD_FILE: Final = "/etc/grafana/admin-password"
_PASSWORD_VARIABLE: Final = "GF_SECURITY_ADMIN_PASSWORD__FILE"
_PIDS: Final = 512
_READY_TIMEOUT_S: Final = 120  # Prometheus reads back first what it had not yet written into blocks


@dataclass(frozen=True, kw_only=True)
class Watching:
    """What the containers have in common.

    Attributes:
        settings: the stack's settings.
        files: text by path, what they read.
        password: of Grafana's admin.
        estate: whose marks they get.
        opts: what they wait for.
    """

    settings: Settings
    files: Mapping[str, pulumi.Input[str]]
    password: pulumi.Input[str]
    estate: Estate
    opts: pulumi.ResourceOptions

    def declare(self, parts: Sequence[Part]) -> Iterator[pulumi.Resource]:
        """Declare each container, its image, and a volume where it keeps something."""
        place = docker_place(self.settings)
        names = [part.beside(place.name) for part in parts]
        orphans = Orphans.beside(place, names)
        for part, name in zip(parts, names, strict=True):
            hooks = orphans.container_hook(name, _PIDS, owns_volume=False)
            yield from self._declare(part, name, hooks)

    def _declare(self, part: Part, name: str, hooks: pulumi.ResourceHookBinding) -> Iterator[pulumi.Resource]:
        image = docker.RemoteImage(f"{part.name}-image", name=part.image, keep_locally=True, opts=self.opts)
        yield image
        volumes: list[Any] = []
        if part.data:
            volume = self._volume(part, name)
            yield volume
            volumes = [{"volume_name": volume.name, "container_path": part.data}]
        more = pulumi.ResourceOptions(hooks=hooks, ignore_changes=["logDriver", "logOpts"])
        yield docker.Container(
            part.name,
            name=name,
            image=image.image_id,
            command=[*part.command] or None,
            network_mode="host",
            volumes=volumes,
            labels=listed({**self._labels, PORT_LABEL: str(part.port)}),
            must_run=True,
            restart="unless-stopped",
            destroy_grace_seconds=10,
            log_driver="json-file",
            log_opts=LOG_LIMITS,
            opts=pulumi.ResourceOptions.merge(self.opts, more),
            **self._read(part),
            **_limits(part),
            **_ready(part),
        )

    @property
    def _labels(self) -> dict[str, pulumi.Input[str]]:
        return own_labels(self.settings.stack, self.estate)

    def _volume(self, part: Part, name: str) -> docker.Volume:
        """Its figures stay where messages stay."""
        kept = self.settings.on_delete is not OnDelete.DELETE
        opts = pulumi.ResourceOptions(ignore_changes=["labels"], retain_on_delete=kept)
        return docker.Volume(
            f"{part.name}-data",
            name=name,
            labels=listed(self._labels),
            opts=pulumi.ResourceOptions.merge(self.opts, opts),
        )

    def _read(self, part: Part) -> dict[str, Any]:
        """What the container reads. Docker uploads nothing where it could write to nothing; who runs in it cannot."""
        places = ((part.place_of(path), text) for path, text in self.files.items())
        uploads = [{"file": there, "content": text} for there, text in places if there]
        variables = {**part.environment}
        if part.name == GRAFANA:
            uploads.append({"file": _PASSWORD_FILE, "content": self.password})
            variables[_PASSWORD_VARIABLE] = _PASSWORD_FILE
        return {
            "uploads": uploads or None,
            "envs": [f"{name}={value}" for name, value in sorted(variables.items())],
            "read_only": not uploads,
        }


def _limits(part: Part) -> dict[str, Any]:
    return {
        "user": part.user,
        "capabilities": {"drops": ["ALL"]},
        "security_opts": ["no-new-privileges:true"],
        "memory": part.memory,
        "memory_swap": part.memory,
    }


def _ready(part: Part) -> dict[str, Any]:
    if part.ready is None:
        return {}
    asks = f"timeout 3 wget -q -O /dev/null http://{part.address}{part.ready}"
    return {"healthcheck": container.checked(asks), "wait": True, "wait_timeout": _READY_TIMEOUT_S}
