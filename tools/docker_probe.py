"""Where a Docker engine could be on this machine, and whether one answers there."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

ANSWERS_WITHIN = 3.0  # seconds


def hosts(told: str | None = None) -> list[str]:
    """Return where to look: the host the user named, else the selected context and the usual sockets."""
    named = told or os.environ.get("DOCKER_HOST")
    home = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    usual = ["unix:///var/run/docker.sock", f"unix://{home}/run/docker.sock"]
    return [named] if named else [*_context_host(home), *usual]


def _context_host(home: Path) -> list[str]:
    """Return the host of the selected context, which is filed under the digest of its name."""
    with suppress(OSError, ValueError, KeyError):
        name = os.environ.get("DOCKER_CONTEXT") or json.loads((home / "config.json").read_text())["currentContext"]
        folder = home / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        return [json.loads((folder / "meta.json").read_text())["Endpoints"]["docker"]["Host"]]
    return []


def answers(host: str) -> bool:
    """Tell whether anything, be it an error, comes back: a socket file alone proves no engine."""
    if urlsplit(host).scheme not in {"unix", "tcp", "http", "https"}:
        return True  # ssh: only a real client finds out
    try:
        with _connect(host) as connection:
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return connection.recv(1) != b""
    except OSError:
        return False


def _connect(host: str) -> socket.socket:
    url = urlsplit(host)
    if url.scheme != "unix":
        return socket.create_connection((url.hostname or "", url.port or 2375), ANSWERS_WITHIN)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWERS_WITHIN)
    try:
        connection.connect(url.path)
    except OSError:
        connection.close()
        raise
    return connection
