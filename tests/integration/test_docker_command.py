"""What a container runs, by a shell of this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infra.servers import container
from infra.settings import parse


def test_a_configuration_of_any_length_is_handed_over_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell puts the parts together again, to the letter, and the server does not inherit them."""
    written, server = tmp_path / "nats.conf", tmp_path / "nats-server"
    monkeypatch.setattr(container, "CONFIG_FILE", str(written))
    server.write_text("#!/bin/sh\nenv\n")
    server.chmod(0o700)
    config = 'name: "é $HOME `x` %s \\\\ \'"\n' * 8000
    variables = dict(each.split("=", 1) for each in container.environment(config, parse({"server": "docker"}, "dev")))
    assert len(variables) > 1
    said = subprocess.run(
        ["/bin/sh", "-c", *container.command()],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables},
        capture_output=True,
        check=True,
        timeout=10,
        text=True,
    )
    assert written.read_text() == config
    assert written.stat().st_mode & 0o077 == 0
    assert "NATS_CONFIG" not in said.stdout
