"""Where a Docker engine could be on this machine, whether one answers there, and requests to it.

Standard library only: the toolchain asks before any package is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from provisioner.errors import ProvisionerError

TIMEOUT_S = 3.0
CHANGE_TIMEOUT_S: Final = 30.0  # stopping a server takes as long as it takes to write its data
_ENGINE_PORT: Final = 2375
_UNIX: Final = "unix"
_SCHEMES: Final = frozenset({_UNIX, "tcp", "http", "https"})  # ssh and Windows pipes: only a real client finds out


@dataclass(frozen=True)
class Engine:
    """A Docker engine.

    Attributes:
        host: its address, as DOCKER_HOST has it.
    """

    host: str

    @property
    def is_local(self) -> bool:
        """Whether the ports it publishes are this machine's."""
        return urlsplit(self.host).scheme == _UNIX

    def get(self, path: str) -> Any:
        """An object of the engine; None where there is none, or the engine cannot be asked from here (ssh, TLS)."""
        if urlsplit(self.host).scheme not in _SCHEMES:
            return None
        try:
            status, body = self._request("GET", path, TIMEOUT_S)
            return json.loads(body) if status == HTTPStatus.OK else None
        except (OSError, ValueError, HTTPException):
            return None

    @property
    def can_be_asked(self) -> bool:
        """Whether it answers from here; one behind ssh or TLS answers only the docker plugin."""
        return self.get("/version") is not None

    def change(self, method: str, path: str, body: object = None, timeout: float = CHANGE_TIMEOUT_S) -> Any:
        """Change something; what is gone already is no error.

        Returns:
            What the engine says of it; None where it says nothing.

        Raises:
            ProvisionerError: the engine refuses, in its own words.
        """
        try:
            status, answer = self._request(method, path, timeout, body)
            if status < HTTPStatus.BAD_REQUEST:
                return json.loads(answer or b"null")
        except (OSError, ValueError, HTTPException) as error:
            raise ProvisionerError(f"the Docker engine at {self.host} does not answer: {error}") from error
        if status != HTTPStatus.NOT_FOUND:
            raise ProvisionerError(f"the Docker engine refuses: {_message(answer)}")
        return None

    def _request(self, method: str, path: str, timeout: float, body: object = None) -> tuple[int, bytes]:
        connection = HTTPConnection("docker", timeout=timeout)
        content, headers = (None, {}) if body is None else (json.dumps(body), {"Content-Type": "application/json"})
        try:
            connection.sock = _connect(self.host, timeout)
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


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
        with _connect(host, TIMEOUT_S) as connection:
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return connection.recv(1) != b""
    except (OSError, ValueError):
        return False


def _context_host(home: Path, context: str | None) -> list[str]:
    """Return the host of the context, which is filed under the digest of its name."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        name = context or os.environ.get("DOCKER_CONTEXT") or _read(home / "config.json")["currentContext"]
        folder = home / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        return [str(_read(folder / "meta.json")["Endpoints"]["docker"]["Host"])]
    return []


def _read(file: Path) -> Any:
    return json.loads(file.read_text())


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError):
        return body.decode(errors="replace").strip() or "no reason given"


def _connect(host: str, timeout: float) -> socket.socket:
    url = urlsplit(host)
    if url.scheme != _UNIX:
        return socket.create_connection((url.hostname or "", url.port or _ENGINE_PORT), timeout)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        connection.connect(url.path)
    except OSError:
        connection.close()
        raise
    return connection
