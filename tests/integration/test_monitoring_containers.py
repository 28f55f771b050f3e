"""The container of compose.yaml that has Prometheus in it, with all that it may not do, in a real engine."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from provisioner.catalogue.reader import parse
from provisioner.watching.files import monitoring_files
from provisioner.watching.places import PROMETHEUS, Places
from tests.support.monitoring_images import prometheus_image
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus
from tests.support.waiting import until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the image has the libraries of this machine"),
]

DEADLINE_S = 60.0
CATALOGUE = parse("ORDERS: {subjects: [orders.*]}\n", "streams.yaml")
SILENT = ("MetricsMissing", "critical", "")


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    """A client of the engine."""
    client = docker.from_env()
    yield client
    client.close()


def run(client: docker.DockerClient, folder: Path, service: dict[str, Any], volume: str, address: str) -> Any:
    """A container as compose runs it, of an image of the test's and at a free port."""
    places = {"./": f"{folder}/", "prometheus:": f"{volume}:"}
    mounts = [
        new + mount.removeprefix(old)
        for mount in service["volumes"]
        for old, new in places.items()
        if mount.startswith(old)
    ]
    return client.containers.run(
        prometheus_image(client),
        [word.replace(PROMETHEUS, address) for word in service["command"]],
        detach=True,
        network_mode=service["network_mode"],
        read_only=service["read_only"],
        cap_drop=service["cap_drop"],
        security_opt=service["security_opt"],
        mem_limit=service["mem_limit"],
        volumes=mounts,
    )


def test_prometheus_runs_in_its_container(engine: docker.DockerClient, tmp_path: Path) -> None:
    """Read-only and without capabilities it reads its rules, keeps its data in the volume, and alerts."""
    files = monitoring_files(CATALOGUE, Places(metrics=f"127.0.0.1:{free_port()}", interval_s=1), held_ns=0)
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    tmp_path.chmod(0o755)
    service = yaml.safe_load(files["compose.yaml"])["services"]["prometheus"]
    volume, address = f"test-{uuid.uuid4()}", f"127.0.0.1:{free_port()}"
    container = run(engine, tmp_path, service, volume, address)
    try:
        watching = Prometheus(f"http://{address}")
        until("Prometheus answers", watching.is_ready, DEADLINE_S)
        until("the alert", lambda: {SILENT} == watching.firing(), DEADLINE_S)
    finally:
        container.remove(force=True)
        engine.volumes.get(volume).remove()
