"""A real nats-server for every test that asks for one: store folder -> server -> client."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.backup.carry_folder import CARRY_TO
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.local_server import processes
from provisioner.local_server.processes import Process
from provisioner.reconcile import server_view
from provisioner.reconcile.context import close_all
from provisioner.reconcile.notices import notice_once
from tests.support.nats_server import NatsServer, running
from tests.support.raw_nats import RawClient, raw_client
from tests.support.waiting import until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for a module's tests."""
    with running(tmp_path_factory.mktemp("nats")) as started:
        yield started


@pytest.fixture
def jetstream(server: NatsServer) -> Iterator[JetStream]:
    """A client of an empty server."""
    client = JetStream(server.url, Credentials())
    yield client
    for name in client.streams():
        client.delete(name)
    client.close()


@pytest.fixture
def raw(server: NatsServer) -> Iterator[RawClient]:
    """A plain client of the same server, which shares no code with the program."""
    with raw_client(server.url) as client:
        yield client


@pytest.fixture
def own_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Each test is a provider process of its own, which knows nothing of the one before."""
    monkeypatch.setattr(server_view, "FIRST_CONTACT_TIMEOUT_S", 0.5)
    monkeypatch.setenv(CARRY_TO, str(tmp_path / "carried"))
    close_all()
    notice_once.cache_clear()
    yield
    close_all()


@pytest.fixture
def stranger() -> Iterator[Process]:
    """A process of somebody else."""
    child = subprocess.Popen(["sleep", "60"])
    yield until("the child is a sleep", lambda: processes.find(child.pid, "sleep 60"), 5)
    assert child.poll() is None, "a process that is not ours was killed"
    child.kill()
    child.wait()
