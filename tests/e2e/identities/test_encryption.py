"""Encryption at rest: what is on the disk, what may change, and what happens when the key is lost."""

from __future__ import annotations

import json
import os
import signal
from contextlib import closing
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.e2e.identities.test_identities import outputs, pids, resources, settings

PAYLOAD = b"nobody finds this on the disk"
KEY = "0123456789abcdef" * 2


@pytest.fixture
def encrypted(project: Project) -> Project:
    """A stack whose data is encrypted, with a message in it."""
    project.configure(**settings(project), encryption="chachapoly")
    project.up()
    publish(project)
    return project


def publish(project: Project) -> None:
    """Put a message into ROUTING."""
    with closing(JetStream(outputs(project)["url"], Credentials())) as client:
        client.connection.request("routing.event", PAYLOAD)


def give_key(project: Project, key: str) -> None:
    """As a user does it."""
    assert project.pulumi("config", "set", "--secret", "prediction-streams:encryptionKey", key).code == 0


def messages(project: Project) -> int:
    """How many are in ROUTING."""
    with closing(JetStream(outputs(project)["url"], Credentials())) as client:
        return client.streams()["ROUTING"].messages


def kill(project: Project) -> None:
    """End the server."""
    (pid,) = pids(project)
    os.kill(pid, signal.SIGKILL)


def in_clear(project: Project, folder: str) -> bool:
    """Whether some file of the data has the payload."""
    files = [file for file in (project.folder / folder / "data").rglob("*") if file.is_file()]
    assert any(file.suffix == ".blk" for file in files)
    return any(PAYLOAD in file.read_bytes() for file in files)


def refused(project: Project, **changes: Any) -> str:
    """Why an up refuses a change of the settings; nothing is changed."""
    before, server = project.settings, pids(project)
    if changes:
        project.configure(**{**before, **changes})
    run = project.pulumi("up", "--yes", "--skip-preview")
    project.configure(**before)
    assert run.code
    assert server == pids(project)
    assert "Traceback" not in run.text
    return run.text


def test_the_life_of_encrypted_data(encrypted: Project) -> None:
    """It is read again by the server of a later run; only another folder gets another cipher or none."""
    assert encrypted.unchanged()
    assert not in_clear(encrypted, "nats")
    kill(encrypted)
    encrypted.up()
    assert encrypted.unchanged()
    assert messages(encrypted) == 1

    assert "encryption: chachapoly -> none of what is in folder" in refused(encrypted, encryption="none")
    give_key(encrypted, KEY)
    assert "encryptionKey: with another key nats-server would find no stream" in refused(encrypted)

    encrypted.configure(**{**encrypted.settings, "encryption": None, "storeDir": str(encrypted.folder / "clear")})
    encrypted.up(STREAMS_MOVE_DATA="yes")
    assert encrypted.unchanged()
    assert messages(encrypted) == 1
    assert in_clear(encrypted, "clear")
    encrypted.configure(**{**encrypted.settings, "encryption": "aes"})
    assert "encryption: none -> aes of what is in folder" in encrypted.preview().text


def test_a_lost_state_is_a_lost_key(encrypted: Project) -> None:
    """Another key would find no stream: refused, before anything, until the key is given or the folder another one."""
    (key,) = [
        r["outputs"]["key"] for r in resources(encrypted, "--show-secrets") if r["type"].endswith("EncryptionKey")
    ]
    kill(encrypted)
    assert encrypted.pulumi("stack", "rm", "--yes", "--force", "--preserve-config", encrypted.stack).code == 0
    assert encrypted.pulumi("stack", "init", encrypted.stack).code == 0
    for run in (encrypted.preview(), encrypted.pulumi("up", "--yes")):
        assert run.code
        assert "is encrypted with another key, so nats-server would find no stream in it" in run.text
        assert "Traceback" not in run.text
    give_key(encrypted, json.loads(key["plaintext"]))
    encrypted.up()
    assert messages(encrypted) == 1
    assert encrypted.unchanged()
