"""The Prometheus image of the tests, built of this machine's own where no image registry is reached."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import docker

from tests.support.prometheus import program

NAME = "prediction-streams-test/prometheus"
_LIBRARIES = ("/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2")


def ensure_image(client: docker.DockerClient) -> str:
    """The image's name; Docker's cache knows what has not changed."""
    client.images.build(fileobj=_context(), custom_context=True, tag=NAME, rm=True)
    return NAME


def _context() -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for file in (program("prometheus"), *_LIBRARIES, str(Path(__file__).with_name("Dockerfile"))):
            tar.add(file, Path(file).name)
        data = tarfile.TarInfo("data")
        data.type, data.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(data)
    buffer.seek(0)
    return buffer
