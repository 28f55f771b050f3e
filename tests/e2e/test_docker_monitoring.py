"""The setting ``monitoring`` on a Docker engine: an exporter, a Prometheus and a Grafana beside the stack's server."""

from __future__ import annotations

import json
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from docker.client import DockerClient

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.e2e.test_docker import engine_client
from tests.support import docker_plugin
from tests.support.monitoring_images import exporter_image, grafana_image, prometheus_image
from tests.support.nats_image import ensure_image
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus
from tests.support.waiting import until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the images have the libraries of this machine"),
]

__all__ = ["engine_client"]  # pytest finds fixtures by their names here

DEADLINE_S = 60.0
PARTS = ("exporter", "prometheus", "grafana")
PORTS = ("clientPort", "monitorPort", "metricsPort", "exporterPort", "prometheusPort", "grafanaPort")


@pytest.fixture
def watched(project: Project, engine_client: DockerClient) -> Project:
    """A stack that is to be watched."""
    docker_plugin.install(Path(project.environment["PULUMI_HOME"]))
    project.rename(f"test-{uuid4().hex[:8]}")
    project.configure(
        server="docker",
        onDelete="delete",
        monitoring=True,
        catalogue="streams.yaml",
        image=ensure_image(),
        exporterImage=exporter_image(engine_client),
        prometheusImage=prometheus_image(engine_client),
        grafanaImage=grafana_image(engine_client),
        **{port: free_port() for port in PORTS},
    )
    project.catalogue(ORDERS={"subjects": ["orders.*"]})
    return project


def containers(project: Project, client: DockerClient) -> dict[str, Any]:
    """What is there under the stack's name, by the rest of each one's name."""
    name = f"prediction-streams-{project.stack}"
    found = client.containers.list(all=True, filters={"name": f"^/{name}"})
    return {each.name.removeprefix(name).removeprefix("-") or "nats": each for each in found}


def outputs(project: Project) -> dict[str, Any]:
    """What the stack says, with its secrets."""
    found: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json", "--show-secrets").text)
    return found


def watching(project: Project) -> Prometheus:
    """The stack's Prometheus, once it is ready."""
    found = Prometheus(outputs(project)["monitoring"]["prometheus"])
    assert found.is_ready(), "an up ends when it is"
    return found


@contextmanager
def metrics(project: Project) -> Iterator[None]:
    """What the stack says is to be run, without make, which would set up a checkout of its own."""
    command = ["metrics", "--listen", str(project.settings["metricsPort"]), "--catalogue", "streams.yaml"]
    process = subprocess.Popen(
        [sys.executable, "-m", "provisioner", *command, "--url", outputs(project)["url"]], cwd=project.folder
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def test_the_life_of_what_watches(watched: Project, engine_client: DockerClient) -> None:
    """It watches, is healed, follows the catalogue, and goes alone or with the stack."""
    assert watched.preview().code == 0
    watched.up()
    assert watched.unchanged()
    assert {"nats", *PARTS} == containers(watched, engine_client).keys()
    prometheus = watching(watched)
    until("the exporter is scraped", lambda: prometheus.value('up{job="nats"}') == 1, DEADLINE_S)
    assert prometheus.value("gnatsd_varz_jetstream_stats_api_total") is not None or prometheus.value("gnatsd_varz_cpu")
    with metrics(watched):
        until("the figures are scraped", lambda: prometheus.value("streams_stream_present") == 1, DEADLINE_S)
    _nobody_finds_the_password(watched, engine_client)
    for name in PARTS:
        _is_hardened(containers(watched, engine_client)[name])

    containers(watched, engine_client)["prometheus"].remove(force=True)
    containers(watched, engine_client)["grafana"].stop()
    assert watched.drift()
    watched.up()
    assert watched.unchanged()
    assert watching(watched).value("max_over_time(streams_stream_present[1h])") == 1, "it keeps its figures"

    before = containers(watched, engine_client)["nats"].id
    watched.catalogue(ORDERS={"subjects": ["orders.*"]}, BILLS={"subjects": ["bills.*"]})
    watched.up()
    assert {"servers", "BILLS", "ORDERS"} == watching(watched).rule_groups()

    watched.configure(**{key: value for key, value in watched.settings.items() if not _is_monitoring(key)})
    watched.up()
    assert ["nats"] == [*containers(watched, engine_client)]
    assert before == containers(watched, engine_client)["nats"].id, "its server is none the wiser"
    assert "monitoring" not in outputs(watched)


def test_with_tls(watched: Project, engine_client: DockerClient) -> None:
    """The exporter trusts the stack's authority; a state that lost a container has it again; destroy leaves nothing."""
    watched.configure(**watched.settings, tls="authority")
    watched.up()
    prometheus = watching(watched)
    until("the exporter has figures", lambda: prometheus.value("gnatsd_varz_max_payload") is not None, DEADLINE_S)
    (urn,) = [
        line
        for line in watched.pulumi("stack", "--show-urns").text.split()
        if line.startswith("urn:") and line.endswith("Container::grafana")
    ]
    assert watched.pulumi("state", "delete", "--yes", urn).code == 0
    watched.up()
    assert watched.unchanged()
    watched.destroy()
    assert {} == containers(watched, engine_client)
    assert [] == engine_client.volumes.list(filters={"name": watched.stack})


def test_an_image_that_cannot_be_had(watched: Project, engine_client: DockerClient) -> None:
    """The streams are there all the same, and the next up brings what is missing."""
    grafana = watched.settings["grafanaImage"]
    watched.configure(**{**watched.settings, "grafanaImage": "127.0.0.1:9/grafana:1"})
    run = watched.pulumi("up", "--yes", "--skip-preview")
    assert run.code != 0
    assert "127.0.0.1:9" in run.text
    assert "Traceback" not in run.text
    url = f"nats://127.0.0.1:{watched.settings['clientPort']}"
    with closing(JetStream(url, Credentials())) as client:
        assert {"ORDERS"} == client.streams().keys()
    watched.configure(**{**watched.settings, "grafanaImage": grafana})
    watched.up()
    assert {"nats", *PARTS} == containers(watched, engine_client).keys()


def test_a_preview_says_what_is_in_the_way(watched: Project, engine_client: DockerClient) -> None:
    """A container of somebody's, and a port that is taken: nothing is touched."""
    stranger = f"prediction-streams-{watched.stack}-grafana"
    engine_client.containers.create(watched.settings["image"], name=stranger)
    try:
        with socket.create_server(("127.0.0.1", watched.settings["prometheusPort"])):
            plan = watched.preview()
    finally:
        engine_client.containers.get(stranger).remove()
    assert plan.code != 0
    assert f"the name {stranger} is taken by container" in plan.text
    assert f"port {watched.settings['prometheusPort']} of 127.0.0.1 is in use" in plan.text
    assert "Traceback" not in plan.text


def _is_monitoring(setting: str) -> bool:
    return setting in PORTS[2:] or setting in {"monitoring", *(f"{part}Image" for part in PARTS)}


def _nobody_finds_the_password(project: Project, client: DockerClient) -> None:
    """But who asks for the stack's secrets, and who may read the container's files."""
    password, grafana = outputs(project)["grafana_password"], containers(project, client)["grafana"]
    assert len(password) == 32
    assert password not in project.pulumi("stack", "output").text
    assert password not in json.dumps(grafana.attrs)
    assert password not in project.state.read_text()
    assert password == grafana.exec_run("cat /etc/grafana/admin-password").output.decode()


def _is_hardened(container: Any) -> None:
    host = container.attrs["HostConfig"]
    assert ["ALL"] == host["CapDrop"]
    assert ["no-new-privileges:true"] == host["SecurityOpt"]
    assert container.attrs["Config"]["User"].split(":")[0] not in {"", "0"}
    assert host["Memory"] > 0
    assert host["PidsLimit"] == 512
    assert {"max-size": "64m", "max-file": "2"} == host["LogConfig"]["Config"]
