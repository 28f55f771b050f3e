"""``STREAMS_MOVE_DATA``: from a container to a process and back, and what changes inside a container."""

from __future__ import annotations

from typing import Any

import pytest
from docker.client import DockerClient

from tests.e2e.conftest import Project
from tests.e2e.test_docker import _name, _url, dev, engine_client
from tests.support.messages import publish, stored
from tests.support.ports import free_port

pytestmark = pytest.mark.docker
__all__ = ["dev", "engine_client"]  # pytest finds fixtures by their names here

MOVE: dict[str, Any] = {"STREAMS_MOVE_DATA": "yes"}


def _ports() -> dict[str, int]:
    return {"clientPort": free_port(), "monitorPort": free_port()}


def test_to_a_process_and_back(dev: Project, engine_client: DockerClient) -> None:
    """The volume goes with its container once the process has the messages; then the folder goes with its process."""
    dev.configure(**{**dev.settings, "catalogue": "streams.yaml", "onDelete": "delete"})
    dev.catalogue(HELD={"subjects": ["held"]})
    dev.up()
    docker = dev.settings
    publish(_url(dev), "held", 30)
    dev.catalogue(HELD={"subjects": ["held"], "retention": "workqueue"})
    dev.up()
    assert {"HELD": 30} == stored(_url(dev)), "carried over inside the container"

    folder = dev.folder / "nats"
    process = {key: value for key, value in docker.items() if key != "image"}
    dev.configure(**{**process, **_ports(), "server": "process", "storeDir": str(folder)})
    planned = dev.preview(**MOVE).text
    assert "HELD: moves from volume " in planned, planned
    dev.up(**MOVE)
    assert {"HELD": 30} == stored(_url(dev))
    assert [] == engine_client.volumes.list(filters={"name": _name(dev)})
    assert dev.unchanged()

    dev.configure(**{**docker, **_ports()})
    dev.up(**MOVE)
    assert {"HELD": 30} == stored(_url(dev))
    assert not folder.exists()
    assert dev.unchanged()
