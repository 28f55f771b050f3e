"""The images of the monitoring containers, built of this machine's own where no image registry is reached.

Prometheus and the exporter are the real ones. Of Grafana there is none to be had: its stand-in answers on its address
when it is run as Grafana's user and has what Grafana reads.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import docker

from tests.support import exporter
from tests.support.prometheus import program

REPOSITORY: Final = "prediction-streams-test"
_LIBRARIES: Final = ("/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2")

# The same users, entry points, folders of data and tools as the official images have.
_PROMETHEUS: Final = """
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY libc.so.6 /lib/x86_64-linux-gnu/libc.so.6
COPY ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
COPY prometheus /bin/prometheus
RUN mkdir /prometheus && chown 65534:65534 /prometheus
USER 65534
VOLUME ["/prometheus"]
ENTRYPOINT ["/bin/prometheus"]
"""
_EXPORTER: Final = """
FROM scratch
COPY prometheus-nats-exporter /prometheus-nats-exporter
ENTRYPOINT ["/prometheus-nats-exporter"]
CMD ["--help"]
"""
_GRAFANA: Final = """
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /var/lib/grafana && chown 472:0 /var/lib/grafana
COPY run.sh /run.sh
USER 472
ENTRYPOINT ["/bin/sh", "/run.sh"]
"""
_GRAFANA_RUN: Final = """set -eu
test "$(id -u)" = 472
test -s "$GF_SECURITY_ADMIN_PASSWORD__FILE"
cat /etc/grafana/dashboards/streams.json /etc/grafana/provisioning/*/*.yml >/var/lib/grafana/read
mkdir -p /var/lib/grafana/www/api
echo ok >/var/lib/grafana/www/api/health
exec httpd -f -p "$GF_SERVER_HTTP_ADDR:$GF_SERVER_HTTP_PORT" -h /var/lib/grafana/www
"""


def prometheus_image(client: docker.DockerClient) -> str:
    """The name of Prometheus' image; Docker's cache knows what has not changed."""
    files = {Path(file).name: Path(file) for file in (program("prometheus"), *_LIBRARIES)}
    return _built(client, "prometheus", _PROMETHEUS, {**files, "busybox": _busybox()})


def exporter_image(client: docker.DockerClient) -> str:
    """That of the exporter."""
    return _built(client, "exporter", _EXPORTER, {"prometheus-nats-exporter": exporter.program()})


def grafana_image(client: docker.DockerClient) -> str:
    """That of Grafana's stand-in."""
    return _built(client, "grafana", _GRAFANA, {"busybox": _busybox()}, {"run.sh": _GRAFANA_RUN})


def _busybox() -> Path:
    found = shutil.which("busybox")
    assert found, "no busybox on PATH: apt-get install busybox-static"
    return Path(found)


def _built(
    client: docker.DockerClient, name: str, dockerfile: str, files: Mapping[str, Path], texts: Mapping[str, str] = {}
) -> str:
    tag = f"{REPOSITORY}/{name}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for there, file in files.items():
            tar.add(file, there)
        for there, text in {**texts, "Dockerfile": dockerfile}.items():
            info = tarfile.TarInfo(there)
            info.size, info.mode = len(text), 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    buffer.seek(0)
    client.images.build(fileobj=buffer, custom_context=True, tag=tag, rm=True)
    return tag
