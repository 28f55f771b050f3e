"""Where a Docker engine could be on this machine, whether one answers there, and what it has.

Standard library only: the toolchain asks before any package is installed. The program in infra/ asks as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMEOUT_S = 3.0
PLUGIN = "pulumi-resource-docker"
_ENGINE_PORT = 2375
_SCHEMES = frozenset({"unix", "tcp", "http", "https"})  # ssh and Windows pipes: only a real client finds out


def hosts(host: str | None = None, context: str | None = None) -> list[str]:
    """Return where to look, as the docker plugin does.

    Args:
        host: the host that a stack's settings name; default: ``DOCKER_HOST``.
        context: the docker context that a stack's settings name; default: the selected one.

    Returns:
        The host by name, if there is one; else the context's host and the usual sockets.
    """
    if named := host or os.environ.get("DOCKER_HOST"):
        return [named]
    home = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    return [*_context_host(home, context), "unix:///var/run/docker.sock", f"unix://{home}/run/docker.sock"]


def answering(candidates: Iterable[str]) -> str | None:
    """Return the first host at which an engine answers, or None."""
    return next(filter(answers, candidates), None)


def answers(host: str) -> bool:
    """Tell whether anything, be it an error, comes back: a socket file alone proves no engine."""
    if urlsplit(host).scheme not in _SCHEMES:
        return True
    try:
        with _connect(host) as connection:
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return connection.recv(1) != b""
    except (OSError, ValueError):
        return False


def inspect_container(host: str, name: str) -> dict[str, Any] | None:
    """Return what the engine says of a container.

    None means that there is none of the name, or that the engine cannot be asked from here (ssh, TLS).
    """
    return _get(host, f"/containers/{quote(name, safe='')}/json")


def plugin_installed(version: str = "*") -> bool:
    """Tell whether Pulumi's engine will find its docker plugin, in any version or in this one."""
    plugins = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    return any(plugins.glob(f"resource-docker-v{version}/{PLUGIN}*")) or shutil.which(PLUGIN) is not None


def _context_host(home: Path, context: str | None) -> list[str]:
    """Return the host of the context, which is filed under the digest of its name."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        name = context or os.environ.get("DOCKER_CONTEXT") or _read(home / "config.json")["currentContext"]
        folder = home / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        return [str(_read(folder / "meta.json")["Endpoints"]["docker"]["Host"])]
    return []


def _read(file: Path) -> Any:
    return json.loads(file.read_text())


def _get(host: str, path: str) -> dict[str, Any] | None:
    if urlsplit(host).scheme not in _SCHEMES:
        return None
    connection = HTTPConnection("docker", timeout=TIMEOUT_S)
    try:
        connection.sock = _connect(host)
        connection.request("GET", path)
        response = connection.getresponse()
        body = json.loads(response.read()) if response.status == HTTPStatus.OK else None
    except (OSError, ValueError, HTTPException):
        return None
    finally:
        connection.close()
    return body if isinstance(body, dict) else None


def _connect(host: str) -> socket.socket:
    url = urlsplit(host)
    if url.scheme != "unix":
        return socket.create_connection((url.hostname or "", url.port or _ENGINE_PORT), TIMEOUT_S)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT_S)
    try:
        connection.connect(url.path)
    except OSError:
        connection.close()
        raise
    return connection
