"""A stand-in for the docker plugin, for tests on machines where the real one cannot be downloaded.

It speaks the engine's own protocol as the provider `docker`, knows only Network, Volume, RemoteImage and
Container, and makes real ones on a real Docker engine. What it decides is held to a recording of the real
plugin: see `schema`.
"""

from __future__ import annotations

import os
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAME = "pulumi-resource-docker"
RECORDING = Path(__file__).with_name("recording.jsonl")  # the real plugin's Check and Diff calls, a line each


def install(plugin_home: Path) -> None:
    """Give a test's `PULUMI_HOME` the user's real docker plugin if there is one, else the stand-in. Idempotent."""
    folder = f"resource-docker-v{version('pulumi-docker')}"
    target = plugin_home / "plugins" / folder
    real = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi")) / "plugins" / folder
    if target.exists():
        return
    target.mkdir(parents=True)
    if (real / NAME).exists():
        _link(real, target)
    else:
        launcher = target / NAME
        launcher.write_text(_launcher())
        launcher.chmod(0o755)


def _link(real: Path, target: Path) -> None:
    """Link what is in the plugin's folder: the engine does not see a folder that is itself a link."""
    for file in real.iterdir():
        (target / file.name).symlink_to(file)


def _launcher() -> str:
    python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
    return f'#!/bin/sh\nPYTHONPATH={root} exec {python} -m tests.support.docker_plugin "$@"\n'
