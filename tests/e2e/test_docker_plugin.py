"""A docker plugin that the user has is one that the tests' engine finds."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support import docker_plugin


def test_the_user_s_plugin_is_found_by_the_engine(
    engine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed from the user's home into a test's, it is listed by the engine, and it is the user's own program."""
    users, tests = tmp_path / "user", tmp_path / "test"
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "nobody"))
    docker_plugin.install(users)  # as good as a real one: nothing here runs it
    monkeypatch.setenv("PULUMI_HOME", str(users))
    docker_plugin.install(tests)

    listed = subprocess.run(
        ["pulumi", "plugin", "ls", "--json"],
        env=engine | {"PULUMI_HOME": str(tests)},
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert [("docker", version("pulumi-docker"))] == [
        (plugin["name"], plugin["version"]) for plugin in json.loads(listed.stdout)
    ]
    (program,) = tests.glob(f"plugins/*/{docker_plugin.NAME}")
    (original,) = users.glob(f"plugins/*/{docker_plugin.NAME}")
    assert original.samefile(program)
