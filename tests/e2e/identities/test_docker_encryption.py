"""Encryption in a container: where the key is, who can read it, and what happens when it is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from docker.client import DockerClient
from docker.models.containers import Container

from infra.servers.container import KEY_FILE
from tests.e2e.conftest import Project
from tests.e2e.identities.test_encryption import KEY, PAYLOAD, give_key, messages, publish
from tests.e2e.identities.test_secrets import of_identities
from tests.e2e.test_docker import _is_without_rights, _name, dev, engine_client

pytestmark = pytest.mark.docker
__all__ = ["dev", "engine_client"]  # pytest finds fixtures by their names here


def test_the_life_of_an_encrypted_volume(dev: Project, engine_client: DockerClient) -> None:
    """Read again after a restart; refused where it would be lost: another cipher, none, another key, a lost state."""
    dev.configure(**dev.settings, encryption="chachapoly")
    dev.up()
    publish(dev)
    (key,) = of_identities(dev)
    container = engine_client.containers.get(_name(dev))
    _has_the_key_to_itself(container, key)
    assert 1 == container.exec_run(["grep", "-rq", PAYLOAD.decode(), "/data"]).exit_code, "in no file, all of them read"
    container.restart()
    assert messages(dev) == 1

    assert "encryption: chachapoly -> none of what is in volume" in _refused(dev, encryption="none")
    give_key(dev, KEY)
    assert "with another key nats-server would find no stream" in _refused(dev)

    assert dev.pulumi("stack", "rm", "--yes", "--force", "--preserve-config", dev.stack).code == 0
    assert dev.pulumi("stack", "init", dev.stack).code == 0
    give_key(dev, KEY)
    changes: tuple[dict[str, Any], ...] = ({}, {"encryption": None}, {"encryption": "chachapoly"})
    for change in changes:  # with another key; then, that being gone, with none, and with one yet to be made
        assert f"volume {_name(dev)} is there already, chachapoly with the key" in _refused(dev, **change)
    give_key(dev, key)
    dev.up()
    assert messages(dev) == 1
    assert dev.unchanged()


def _has_the_key_to_itself(container: Container, key: str) -> None:
    """It is in a file that the server's user reads and cannot write, and not in what the engine tells."""
    _is_without_rights(container)
    assert key not in json.dumps(container.attrs)
    assert container.attrs["Config"]["User"] == "65532:65532"
    assert container.exec_run(["cat", KEY_FILE]).output.decode() == json.dumps(key)
    assert "Permission denied" in container.exec_run(["sh", "-c", f"echo x >{KEY_FILE}"]).output.decode()
    assert "Permission denied" in container.exec_run(["touch", "/etc/x"]).output.decode()


def _refused(project: Project, **changes: Any) -> str:
    """Why a plan is refused."""
    before = project.settings
    if changes:
        project.configure(**{**before, **changes})
    plan = project.preview()
    project.configure(**before)
    assert plan.code
    assert "Traceback" not in plan.text
    return plan.text
