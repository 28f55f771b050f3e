"""Storage that runs out: what is stored stays, up says what is missing, and goes on when there is room."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioner.errors import Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.faults.figures import Figures
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import raw_client

SIZE = 1 << 16  # bytes of a message


@dataclass(frozen=True)
class Full:
    """What a server says that has no more room.

    Attributes:
        published: to a message.
        refused: to a stream that reserves more than there is; where it does not know how much that is, it takes it.
    """

    published: str
    refused: str = ""


FULL = {
    "limit reached": Full("insufficient resources (10023)", "NEW: insufficient storage resources available: lower "),
    "disk full": Full("no answer to filled within "),
}


@pytest.fixture(params=FULL)
def full(request: pytest.FixtureRequest) -> Full:
    """What the server is going to say."""
    return FULL[request.param]


@pytest.fixture
def server(full: Full, tmp_path: Path) -> Iterator[NatsServer]:
    """A server with room for a few megabytes, by its own limit or because the disk has no more."""
    folder = tmp_path / "nats"
    if full.refused:
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


def _fill(url: str) -> tuple[set[int], str]:
    """Publish numbers until the server takes no more; those that it has acknowledged, and what it says to the next."""
    acknowledged = set[int]()
    with closing(JetStream(url, Credentials())) as client:
        for number in range(1000):
            try:
                answer = json.loads(client.connection.request("filled", str(number).encode().ljust(SIZE)))
            except Unreachable as silence:
                return acknowledged, str(silence)
            if error := answer.get("error"):
                return acknowledged, f"{error['description']} ({error['err_code']})"
            acknowledged.add(number)
    raise AssertionError("there is room for everything")


def _make_room(server: NatsServer) -> None:
    server.kill()
    server.jetstream = "max_file_store: 1GB"
    if os.path.ismount(server.folder):
        subprocess.run(["mount", "-o", "remount,size=64m", server.folder], check=True)
    server.start()


def test_up_goes_on_when_there_is_room(full: Full, server: NatsServer, project: Project, figures: Figures) -> None:
    """No acknowledged message is lost to a full store; a run that needs more room than there is says so in a line."""
    project.configure(server="external", url=server.url, onDelete="delete", catalogue="streams.yaml")
    project.catalogue(FILLED={"subjects": ["filled"]})
    project.up()
    acknowledged, last = _fill(server.url)
    assert acknowledged
    assert full.published in last

    project.catalogue(FILLED={"subjects": ["filled", "more"]}, NEW={"subjects": ["new"], "max_bytes": "16MiB"})
    said = project.pulumi("up", "--yes", "--skip-preview")
    assert bool(full.refused) == bool(said.code), said.text
    assert full.refused in said.text
    assert "Traceback" not in said.text

    _make_room(server)
    project.up()
    assert project.unchanged()
    with raw_client(server.url) as raw:
        assert {"FILLED", "NEW"} == set(raw.stream_names())
        stored = raw.numbers("FILLED")
    figures.faults, figures.acknowledged, figures.converged = 1, len(acknowledged), 1
    figures.count_lost({"FILLED": sorted(acknowledged - stored)})
    # The last message may be stored, although the server could not say so; never the other way round.
    assert stored - acknowledged <= {len(acknowledged)}
