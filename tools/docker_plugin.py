"""Whether this machine can run the docker stack: an engine that answers, and Pulumi's docker plugin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from provisioner.docker_engine import api
from tools import docker_probe
from tools.log import tell
from tools.paths import ROOT, cache
from tools.subprocesses import ToolError, run
from tools.versions import pinned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOWNLOAD_TIMEOUT_S = 180.0  # for 30 MB
REFUSAL_MAX_AGE_S = 3600.0  # until a plugin that could not be had is asked for again


def installed() -> bool:
    """Tell whether Pulumi's engine will find the docker plugin of the pinned version."""
    return docker_probe.plugin_installed(_version())


def ensure(environment: Mapping[str, str], *, again: bool) -> bool:
    """Install the docker plugin where it is missing.

    Args:
        environment: one in which ``pulumi`` is on PATH.
        again: ask even when it was refused a short while ago.

    Returns:
        Whether it is there now.
    """
    if installed():
        return True
    refusal = cache() / f"docker-plugin-{_version()}-refused"
    if not again and refusal.exists() and time.time() - refusal.stat().st_mtime < REFUSAL_MAX_AGE_S:
        return False
    tell(f"Fetching Pulumi's docker plugin {_version()}")
    try:
        command = ["pulumi", "plugin", "install", "resource", "docker", _version()]
        run("docker plugin", command, timeout=DOWNLOAD_TIMEOUT_S, cwd=ROOT, env=environment)
    except ToolError as error:
        tell(f"  it cannot be had: {str(error).splitlines()[-1].strip().removeprefix('error: ')}")
        refusal.touch()
        return False
    refusal.unlink(missing_ok=True)
    return True


def engine_problem(hosts: Sequence[str]) -> str | None:
    """Return that no Docker engine answers at any of these hosts, or None."""
    return None if api.answering(hosts) else f"no Docker engine answers at {' or '.join(hosts)}"


def problem(environment: Mapping[str, str], *, again: bool) -> str | None:
    """Return why the docker stack cannot be had here, or None."""
    if api.answering(api.hosts()) is None:
        return "no Docker engine answers"
    if not ensure(environment, again=again):
        return "Pulumi's docker plugin cannot be had here"
    return None


def _version() -> str:
    """Return the version that requirements.txt pins: the SDK asks for the plugin of its own version."""
    return pinned("requirements.txt", r"^pulumi-docker==(\S+)")
