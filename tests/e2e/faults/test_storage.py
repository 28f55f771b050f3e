"""Storage that runs out: what is stored stays, up says what is missing, and goes on when there is room."""

from __future__ import annotations

import base64
import json
import os
import re
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
from tests.support.nats_py import put_all
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import raw_client

SIZE = 1 << 16  # bytes of a message


@dataclass(frozen=True)
class Full:
    """What a server says that has no more room.

    Attributes:
        published: to a message.
        seeded: to a first value of a bucket, in up's words.
        refused: to a stream that reserves more than there is; where it does not know how much that is, it takes it.
        limits: of the server.
        users: its accounts.
    """

    published: str
    seeded: str
    refused: str = ""
    limits: str = "max_file_store: 4GB"
    users: str = ""

    @property
    def is_disk(self) -> bool:
        """Whether it has a small disk."""
        return not self.refused


FULL = {
    "limit reached": Full(
        "insufficient resources (10023)",
        "insufficient resources (10023): the server has no more room; give it some, and run pulumi up again",
        "NEW: insufficient storage resources available: lower ",
        limits="max_file_store: 4MB",
    ),
    "account's limit reached": Full(
        "resource limits exceeded for account (10002)",
        "resource limits exceeded for account (10002): the account has no more room; give it some, and run",
        "NEW: max_bytes asks for 16.0 MiB; of the 4.0 MiB this account has for file streams 0 B are reserved",
        users="accounts { A: { jetstream: { max_file: 4MB }, users: [{ user: a, password: a }] } }\nno_auth_user: a",
    ),
    "disk full": Full("no answer to filled within ", "a cluster without a leader, a full disk, an overloaded server"),
}


@pytest.fixture(params=FULL)
def full(request: pytest.FixtureRequest) -> Full:
    """What the server is going to say."""
    return FULL[request.param]


@pytest.fixture
def server(full: Full, tmp_path: Path) -> Iterator[NatsServer]:
    """A server with room for a few megabytes, by its own limit or because the disk has no more."""
    folder = tmp_path / "nats"
    if not full.is_disk:
        with running(folder, full.users, full.limits) as started:
            yield started
        return
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("REQUIRE_ENGINES") else pytest.skip)("only root can mount a small disk")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    try:
        with running(folder, full.users, full.limits) as started:
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
    server.jetstream, server.extra = "max_file_store: 1GB", server.extra.replace("4MB", "1GB")
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


def test_first_values_go_on_when_there_is_room(full: Full, server: NatsServer, project: Project) -> None:
    """One line names the bucket and the key; a service's values are not overwritten, and all that are missing come."""
    project.configure(server="external", url=server.url, onDelete="delete", catalogue="streams.yaml")
    seed = {f"k{number}": "x" * SIZE for number in range(80)}
    project.catalogue(buckets={"A": {"history": 3, "seed": seed}})
    said = project.pulumi("up", "--yes", "--skip-preview")
    assert said.code
    (line,) = set(re.findall(r"KV_A: seed k\d+: .*", said.text))  # Pulumi says it twice
    assert full.seeded in line
    assert "Traceback" not in said.text

    _make_room(server)
    put_all(server, "A", k9=[b"own"], k0=[b"own", b"other"])
    project.up()
    assert project.unchanged()
    with raw_client(server.url) as raw:
        entries = [(each["subject"], base64.b64decode(each["data"])) for each in raw.messages("KV_A")]
    own = [("$KV.A.k9", b"own"), ("$KV.A.k0", b"own"), ("$KV.A.k0", b"other")]
    sown = [(f"$KV.A.{key}", value.encode()) for key, value in seed.items() if key != "k9"]
    assert sorted([*own, *sown]) == sorted(entries)
