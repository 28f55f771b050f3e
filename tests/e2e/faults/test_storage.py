"""Storage that runs out: what is stored stays, up says what is missing, and goes on when there is room."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.faults.figures import Figures
from tests.support.nats_server import NatsServer, running

MESSAGE = b"x" * (1 << 16)


@pytest.fixture(params=["limit reached", "disk full"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NatsServer]:
    """A server with room for a few megabytes, by its own limit or because the disk has no more."""
    folder = tmp_path / "nats"
    if request.param == "limit reached":
        with running(folder, jetstream="max_file_store: 4MB") as started:
            yield started
        return
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("REQUIRE_ENGINES") else pytest.skip)("only root can mount a small disk")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    try:
        with running(folder, jetstream="max_file_store: 4GB") as started:
            yield started
    finally:
        subprocess.run(["umount", folder], check=True)


def _fill(url: str) -> int:
    """Publish until the server takes no more; the number of acknowledgements."""
    with closing(JetStream(url, Credentials())) as client:
        for number in range(1000):
            try:
                answer = json.loads(client.connection.request("filled", MESSAGE))
            except ProvisionerError:
                return number
            if "error" in answer:
                return number
    raise AssertionError("there is room for everything")


def _make_room(server: NatsServer) -> None:
    server.kill()
    server.jetstream = "max_file_store: 1GB"
    if os.path.ismount(server.folder):
        subprocess.run(["mount", "-o", "remount,size=64m", server.folder], check=True)
    server.start()


def test_up_goes_on_when_there_is_room(server: NatsServer, project: Project, figures: Figures) -> None:
    """No acknowledged message is lost to a full store, and no run ends without a clear line."""
    project.configure(server="external", url=server.url, onDelete="delete", catalogue="streams.yaml")
    project.catalogue(FILLED={"subjects": ["filled"]})
    project.up()
    acknowledged = _fill(server.url)
    assert acknowledged > 0

    project.catalogue(FILLED={"subjects": ["filled", "more"]}, NEW={"subjects": ["new"], "max_bytes": "16MiB"})
    said = project.pulumi("up", "--yes", "--skip-preview")
    assert said.code == 0 or "NEW: insufficient storage resources" in said.text, said.text
    assert "Traceback" not in said.text

    _make_room(server)
    project.up()
    assert project.unchanged()
    with closing(JetStream(server.url, Credentials())) as client:
        live = client.streams()
        assert {"FILLED", "NEW"} == live.keys()
        figures.faults, figures.acknowledged, figures.converged = 1, acknowledged, 1
        figures.lost = max(acknowledged - live["FILLED"].messages, 0)
        assert 0 == figures.lost
        # A message may be stored whose acknowledgement was refused for want of room, never the other way round.
        assert live["FILLED"].messages in {acknowledged, acknowledged + 1}
