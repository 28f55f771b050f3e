# ruff: noqa: ARG002 - the four verbs are the same for every type, and explained once, at Verbs
"""What the docker plugin does on a real engine: create, read, update and delete, type by type."""

from __future__ import annotations

import base64
import io
import re
import tarfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docker.errors import NotFound

from provisioner.units import parse_duration
from tests.support.docker_plugin.schema import same, words

if TYPE_CHECKING:
    from docker import APIClient

    from tests.support.docker_plugin.schema import Json, Props

MIB = 1024 * 1024
SECOND = 1_000_000_000  # nanoseconds
NANO = 1_000_000_000  # of a CPU
CONTAINER_PROPERTIES = frozenset(
    words("""
    attach capabilities command containerReadRefreshTimeoutMilliseconds cpus destroyGraceSeconds entrypoints envs
    healthcheck image labels logDriver logOpts logs memory memoryReservation memorySwap mustRun name networkMode
    networksAdvanced ports readOnly removeVolumes restart rm securityOpts start stdinOpen stopTimeout tty uploads
    user volumes wait waitTimeout
    """)
)


class HalfMadeError(Exception):
    """The resource exists and has to be in the state, but it did not come up."""

    def __init__(self, resource_id: str, reason: str) -> None:
        """Remember the resource beside the reason."""
        super().__init__(reason)
        self.resource_id = resource_id


@dataclass(frozen=True)
class Verbs:
    """One resource type: `create` returns an id, `read` the outputs, or None for what is gone."""

    api: APIClient

    def update(self, resource_id: str, news: Props) -> None:
        """Do nothing: every property replaces, except those that only matter to Pulumi."""


class Network(Verbs):
    """`docker network`: known to Pulumi by its hexadecimal id."""

    def create(self, inputs: Props) -> str:
        made = self.api.create_network(
            inputs["name"], driver=inputs.get("driver"), labels=_labels(inputs), check_duplicate=True
        )
        return str(made["Id"])

    def read(self, resource_id: str, known: Props) -> dict[str, Any] | None:
        try:
            found = self.api.inspect_network(resource_id)
        except NotFound:
            return None
        return {**known, "id": found["Id"], "name": found["Name"], "driver": found["Driver"]}

    def delete(self, resource_id: str, known: Props) -> None:
        self.api.remove_network(resource_id)


class Volume(Verbs):
    """`docker volume`: known by its name. Creating one that is there takes it over, as the engine does."""

    def create(self, inputs: Props) -> str:
        return str(self.api.create_volume(inputs["name"], inputs.get("driver"), labels=_labels(inputs))["Name"])

    def read(self, resource_id: str, known: Props) -> dict[str, Any] | None:
        try:
            found = self.api.inspect_volume(resource_id)
        except NotFound:
            return None
        return {**known, "id": resource_id, "driver": found["Driver"], "mountpoint": found["Mountpoint"]}

    def delete(self, resource_id: str, known: Props) -> None:
        self.api.remove_volume(resource_id)


class RemoteImage(Verbs):
    """An image that is there, else pulled. Its id is the image's id and the name it goes by."""

    def create(self, inputs: Props) -> str:
        name = inputs["name"]
        if self._image_id(name) is None:
            self.api.pull(name)
        return f"{self._image_id(name)}{name}"

    def read(self, resource_id: str, known: Props) -> dict[str, Any] | None:
        image_id = self._image_id(known["name"])
        if image_id is None:
            return None
        return {**known, "id": resource_id, "imageId": image_id}

    def delete(self, resource_id: str, known: Props) -> None:
        if not known.get("keepLocally"):
            self.api.remove_image(known["name"])

    def _image_id(self, name: str) -> str | None:
        try:
            return str(self.api.inspect_image(name)["Id"])
        except NotFound:
            return None


class Container(Verbs):
    """`docker container`: a property that is not in CONTAINER_PROPERTIES is an error, not silence."""

    def create(self, inputs: Props) -> str:
        unsupported = sorted(key for key in inputs if not key.startswith("__") and key not in CONTAINER_PROPERTIES)
        if unsupported:
            message = f"the tests' docker plugin does not know the container properties {', '.join(unsupported)}"
            raise NotImplementedError(message)
        made = self.api.create_container_from_config(_container_config(inputs), inputs["name"])
        resource_id = str(made["Id"])
        try:
            self._bring_up(resource_id, inputs)
        except Exception as error:
            raise HalfMadeError(resource_id, str(getattr(error, "explanation", None) or error)) from error
        return resource_id

    def read(self, resource_id: str, known: Props) -> dict[str, Any] | None:
        try:
            found = self.api.inspect_container(resource_id)
        except NotFound:
            return None
        return {**known, **_observed(found, known)}

    def update(self, resource_id: str, news: Props) -> None:
        """Apply what the real plugin applies; a changed health check it only *says* it applied."""
        limits = {"mem_limit": "memory", "memswap_limit": "memorySwap"}
        self.api.update_container(
            resource_id,
            restart_policy={"Name": news.get("restart") or "no"},
            **{key: news[name] * MIB for key, name in limits.items() if news.get(name)},
        )
        if news["mustRun"]:
            self.api.start(resource_id)

    def delete(self, resource_id: str, known: Props) -> None:
        if known.get("destroyGraceSeconds"):
            self.api.stop(resource_id, timeout=known["destroyGraceSeconds"])
        self.api.remove_container(resource_id, v=known.get("removeVolumes", True), force=True)

    def _bring_up(self, resource_id: str, inputs: Props) -> None:
        if inputs.get("networksAdvanced"):
            self.api.disconnect_container_from_network(resource_id, inputs["networkMode"])
        for network in inputs.get("networksAdvanced", ()):
            self.api.connect_container_to_network(resource_id, network["name"], aliases=network.get("aliases"))
        for upload in inputs.get("uploads", ()):
            self.api.put_archive(resource_id, "/", _tar(upload))
        if inputs["start"]:
            self.api.start(resource_id)
        if inputs["wait"]:
            self._wait_until_healthy(resource_id, inputs["waitTimeout"])

    def _wait_until_healthy(self, resource_id: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self._health(resource_id) != "healthy":
            if time.monotonic() > deadline:
                message = "container failed to be in healthy state"
                raise TimeoutError(message)
            time.sleep(0.1)

    def _health(self, resource_id: str) -> str:
        health = self.api.inspect_container(resource_id)["State"].get("Health")
        if health is None:
            message = "wait needs a healthcheck"
            raise ValueError(message)
        return str(health["Status"])


def _container_config(inputs: Props) -> dict[str, Any]:
    """Return the Engine API's own form of a container."""
    ports = {f"{port['internal']}/{port['protocol']}": port for port in inputs.get("ports", ())}
    return {
        "Image": inputs["image"],
        "Cmd": inputs.get("command"),
        "Entrypoint": inputs.get("entrypoints"),
        "Env": inputs.get("envs"),
        "User": inputs.get("user", ""),
        "Labels": _labels(inputs),
        "Healthcheck": _healthcheck(inputs.get("healthcheck")),
        "StopTimeout": inputs.get("stopTimeout"),
        "ExposedPorts": {port: {} for port in ports},
        "HostConfig": {
            "NetworkMode": inputs["networkMode"],
            "RestartPolicy": {"Name": inputs.get("restart") or "no"},
            "LogConfig": {"Type": inputs.get("logDriver", ""), "Config": inputs.get("logOpts") or {}},
            "ReadonlyRootfs": inputs["readOnly"],
            "CapAdd": (inputs.get("capabilities") or {}).get("adds"),
            "CapDrop": (inputs.get("capabilities") or {}).get("drops"),
            "SecurityOpt": inputs.get("securityOpts"),
            "NanoCpus": int(float(inputs.get("cpus") or 0) * NANO),
            "Memory": inputs.get("memory", 0) * MIB,
            "MemorySwap": inputs.get("memorySwap", 0) * MIB,
            "Binds": [f"{volume['volumeName']}:{volume['containerPath']}" for volume in inputs.get("volumes", ())],
            "PortBindings": {
                name: [{"HostIp": port.get("ip", "0.0.0.0"), "HostPort": str(port.get("external", ""))}]  # noqa: S104
                for name, port in ports.items()
            },
        },
    }


def _healthcheck(check: Props | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {
        "Test": check["tests"],
        "Interval": parse_duration(check.get("interval", "0s")),
        "Timeout": parse_duration(check.get("timeout", "0s")),
        "StartPeriod": parse_duration(check.get("startPeriod", "0s")),
        "Retries": check.get("retries", 0),
    }


def _observed(found: Props, known: Props) -> dict[str, Any]:
    """Return the properties in which a hand on the engine shows."""
    state, host, networks = found["State"], found["HostConfig"], found["NetworkSettings"]["Networks"]
    running = state["Running"] and not state["Restarting"]
    advanced = [network for network in known.get("networksAdvanced") or () if network["name"] in networks]
    strangers = [{"name": name} for name in networks if name not in {network["name"] for network in advanced}]
    return {
        "id": found["Id"],
        "name": found["Name"].removeprefix("/"),
        "image": found["Image"] if known["image"].startswith("sha256:") else known["image"],
        "mustRun": running,
        "ports": _published(found, known.get("ports") or []) if running else [],
        "restart": host["RestartPolicy"]["Name"],
        # Not measured with the real plugin, but read so in its source (kreuzwerker/terraform-provider-docker,
        # resourceDockerContainerRead): these four come from the engine, cpus and envs do not.
        "user": found["Config"]["User"],
        "readOnly": host["ReadonlyRootfs"],
        "securityOpts": host["SecurityOpt"] or [],
        "capabilities": {"adds": host["CapAdd"] or [], "drops": host["CapDrop"] or []},
        "memory": host["Memory"] // MIB,
        "memorySwap": max(host["MemorySwap"] // MIB, -1),
        "networksAdvanced": advanced + strangers if known.get("networksAdvanced") else [],
        **({"healthcheck": _canonical(known["healthcheck"])} if known.get("healthcheck") else {}),
    }


def _published(found: Props, known: list[Json]) -> list[Json]:
    """Return the ports as they are, in the order they are known in when they are the same."""
    ports = [
        {"external": int(host["HostPort"]), "internal": int(port), "ip": host["HostIp"], "protocol": protocol}
        for name, hosts in found["NetworkSettings"]["Ports"].items()
        for port, protocol in [name.split("/")]
        for host in hosts or ()
    ]
    return known if same(known, ports) else ports


def _canonical(check: Props) -> dict[str, Any]:
    """Spell durations as Go does, so that `60s` in a program is the perpetual difference it really is."""
    keys = ("interval", "timeout", "startPeriod", "startInterval")
    return {**check, **{key: _go_duration(parse_duration(check[key])) for key in keys if check.get(key)}}


def _go_duration(nanoseconds: int) -> str:
    if 0 < nanoseconds < SECOND:
        return f"{nanoseconds / 1e6:g}ms"
    minutes, seconds = divmod(nanoseconds / SECOND, 60)
    hours, minutes = divmod(int(minutes), 60)
    return re.sub(r"^(0h)?(0m)?", "", f"{hours}h{minutes}m{seconds:g}s")


def _labels(inputs: Props) -> dict[str, str]:
    return {item["label"]: item["value"] for item in inputs.get("labels", ())}


def _tar(upload: Props) -> bytes:
    """Return the archive, rooted at `/`, that carries one uploaded file."""
    content = upload.get("content", "").encode() or base64.b64decode(upload.get("contentBase64", ""))
    info = tarfile.TarInfo(upload["file"].lstrip("/"))
    info.size, info.mode, info.mtime = (
        len(content),
        0o744 if upload["executable"] else 0o644,
        int(time.time()),
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
