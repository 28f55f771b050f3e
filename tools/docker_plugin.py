"""Whether this machine can run the docker stack: an engine that answers, and Pulumi's docker plugin."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from tools import docker_probe
from tools.paths import ROOT, cache, pinned, pulumi_home
from tools.subprocesses import ToolError, run, say

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGIN_DEADLINE = 180.0  # seconds for 30 MB
REFUSAL_KEPT = 3600.0  # seconds until a plugin that could not be had is asked for again


def plugin_installed() -> bool:
    """Tell whether Pulumi's engine will find the docker plugin of the pinned version."""
    program = "pulumi-resource-docker"
    ours = pulumi_home() / "plugins" / f"resource-docker-v{_version()}" / program
    return ours.exists() or shutil.which(program) is not None


def get_plugin(environment: Mapping[str, str], *, again: bool) -> bool:
    """Make sure of the docker plugin.

    Args:
        environment: one in which ``pulumi`` is on PATH.
        again: ask even when it was refused a short while ago.
    """
    if plugin_installed():
        return True
    refused = cache() / f"docker-plugin-{_version()}-refused"
    if not again and refused.exists() and time.time() - refused.stat().st_mtime < REFUSAL_KEPT:
        return False
    say(f"Fetching Pulumi's docker plugin {_version()}")
    try:
        command = ["pulumi", "plugin", "install", "resource", "docker", _version()]
        run("docker plugin", command, timeout=PLUGIN_DEADLINE, cwd=ROOT, env=environment)
    except ToolError as error:
        say(f"  it cannot be had: {str(error).splitlines()[-1].strip().removeprefix('error: ')}")
        refused.touch()
        return False
    refused.unlink(missing_ok=True)
    return True


def obstacle(environment: Mapping[str, str], *, again: bool) -> str | None:
    """Return why the docker stack cannot be had here, or None."""
    if not any(map(docker_probe.answers, docker_probe.hosts())):
        return "no Docker engine answers"
    if not get_plugin(environment, again=again):
        return "Pulumi's docker plugin cannot be had here"
    return None


def _version() -> str:
    """Return the version that requirements.txt pins: the SDK asks for the plugin of its own version."""
    return pinned("requirements.txt", r"^pulumi-docker==(\S+)")
