"""The embedded default: a nats-server that the stack starts, heals and stops."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Project
from tests.support.messages import EXPECTED, publish_one_each, read_one_each
from tests.support.ports import free_port


@pytest.fixture
def local(project: Project) -> Project:
    """A stack with a server process on free ports."""
    project.configure(
        server="process",
        onDelete="delete",
        clientPort=free_port(),
        monitorPort=free_port(),
        storeDir=str(project.folder / "nats"),
    )
    return project


def _pid(project: Project) -> int:
    """The server's process, as Pulumi's state has it."""
    exported = json.loads(project.pulumi("stack", "export").text)
    servers = [r for r in exported["deployment"]["resources"] if r["type"].endswith(":ServerProcess")]
    return int(servers[0]["outputs"]["pid"])


def _outputs(project: Project) -> dict[str, Any]:
    outputs: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json").text)
    return outputs


def test_the_life_of_a_stack(local: Project) -> None:
    """up, no-op, dead server seen and healed with its messages, changed, destroyed without a trace."""
    assert local.preview().code == 0, "the first preview has nobody to ask"
    local.up()
    url = _outputs(local)["url"]
    publish_one_each(url)
    assert local.unchanged()

    os.kill(_pid(local), signal.SIGKILL)
    assert "unreachable" in local.drift()
    local.up()
    assert EXPECTED == read_one_each(url)
    assert local.unchanged()

    pid = _pid(local)
    local.configure(**{**local.settings, "clientPort": free_port(), "maxFileStore": "40GiB"})
    local.up()
    assert EXPECTED == read_one_each(_outputs(local)["url"])
    assert local.unchanged()
    assert not _runs(pid), "the server on the old port is gone"

    pid = _pid(local)
    local.destroy()
    assert not _runs(pid)
    assert not Path(local.settings["storeDir"]).exists()


def test_two_stacks_side_by_side(local: Project) -> None:
    """Each has its own server, ports and data; a port in use is said in one line before anything starts."""
    local.up()
    url = _outputs(local)["url"]
    other = Project(local.folder, local.environment, "other")
    assert other.pulumi("stack", "init", "other").code == 0
    folder = str(local.folder / "other")
    other.configure(**{**local.settings, "storeDir": folder})

    refused = other.pulumi("up", "--yes", "--skip-preview", "--stack", "other")
    assert refused.code != 0
    assert f"port {local.settings['clientPort']} of 127.0.0.1 is in use" in refused.text
    assert "Traceback" not in refused.text

    other.configure(**{**other.settings, "clientPort": free_port(), "monitorPort": free_port()})
    assert other.pulumi("up", "--yes", "--skip-preview", "--stack", "other").code == 0
    publish_one_each(url)
    assert other.pulumi("destroy", "--yes", "--skip-preview", "--stack", "other").code == 0
    assert EXPECTED == read_one_each(url)


def _runs(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_store_that_cannot_be_made_is_found_in_preview(local: Project) -> None:
    """A folder below a file, where not even root may write, is one line before anything is started."""
    taken = local.folder / "taken"
    taken.touch()
    local.configure(**{**local.settings, "storeDir": str(taken / "nats")})

    refused = local.preview()

    assert refused.code != 0
    assert f"{taken} is not a folder, and the server is to live in {taken / 'nats'}" in refused.text
    assert "Traceback" not in refused.text


def test_every_problem_of_the_program_s_inputs_is_told_at_once(local: Project) -> None:
    """A missing catalogue and another wrong setting are two lines of one preview."""
    local.configure(**{**local.settings, "catalogue": "missing.yaml", "bindAddress": "pc"})

    refused = local.preview()

    assert refused.code != 0
    assert "settings of stack test: catalogue: there is no file missing.yaml" in refused.text
    assert "settings of stack test: bindAddress: 'pc' is not an IP address" in refused.text
