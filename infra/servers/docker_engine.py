"""Whether Docker can be used at all, found out before anything is declared: one line instead of an hour."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pulumi

from provisioner.errors import ProvisionerError

PLUGIN: Final = "pulumi-resource-docker"
ANSWERS_WITHIN: Final = 3.0  # seconds


def require_docker() -> None:
    """Refuse to go on without Pulumi's docker plugin or without an engine.

    Raises:
        ProvisionerError: says which of the two is missing, what to do, and that there is the `local` stack.
    """
    if not _plugin_can_be_had():
        raise _missing(f"no docker plugin in {_pulumi_home() / 'plugins'}", "pulumi plugin install resource docker")
    if not engine_answers():
        where = " or ".join(_engine_hosts())
        raise _missing(f"no Docker engine answers at {where}", "start it or set DOCKER_HOST")


def engine_answers() -> bool:
    """Tell whether there is a Docker engine where the plugin looks for one."""
    return any(_answers(host) for host in _engine_hosts())


def _missing(what: str, remedy: str) -> ProvisionerError:
    return ProvisionerError(
        f"server docker: {what} ({remedy}); without Docker use the stack local: make up STACK=local"
    )


def _plugin_can_be_had() -> bool:
    """Tell whether the plugin is there, or Pulumi may fetch it: it does so by itself unless told not to."""
    may_fetch = os.environ.get("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "") in {"", "0", "false"}
    there = any(_pulumi_home().glob(f"plugins/resource-docker-v*/{PLUGIN}*")) or shutil.which(PLUGIN)
    return may_fetch or bool(there)


def _pulumi_home() -> Path:
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def _engine_hosts() -> list[str]:
    """Return where the plugin looks: what the user says, else the `docker context` and the usual sockets."""
    told = pulumi.Config("docker").get("host") or os.environ.get("DOCKER_HOST")
    docker_home = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    usual = ["unix:///var/run/docker.sock", f"unix://{docker_home}/run/docker.sock"]
    return [told] if told else [*_context_host(docker_home), *usual]


def _context_host(docker_home: Path) -> list[str]:
    """Return the host of the selected context: docker keeps contexts under the digest of their names."""
    with suppress(OSError, ValueError, KeyError):
        config = json.loads((docker_home / "config.json").read_text())
        name = pulumi.Config("docker").get("context") or os.environ.get("DOCKER_CONTEXT") or config["currentContext"]
        folder = docker_home / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        return [json.loads((folder / "meta.json").read_text())["Endpoints"]["docker"]["Host"]]
    return []


def _answers(host: str) -> bool:
    """Tell whether anything, be it an error, comes back: a socket file alone proves no engine."""
    url = urlsplit(host)
    if url.scheme not in {"unix", "tcp", "http", "https"}:
        return True  # ssh, a Windows pipe: the plugin will find out
    unix = url.scheme == "unix"
    try:
        with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as connection:
            connection.settimeout(ANSWERS_WITHIN)
            connection.connect(url.path if unix else (url.hostname, url.port or 2375))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return connection.recv(1) != b""
    except OSError:
        return False
