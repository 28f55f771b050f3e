"""What ends the servers that a test left behind: those below its folder, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.servers.nats_conf import server_config
from provisioner.local_server import supervisor
from provisioner.local_server.server_dir import ServerDir, ServerSpec
from tests.support.left_running import end_servers
from tests.support.ports import free_port


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[ServerDir]]:
    """Two servers of one test, one of which is a node's, and one of another test."""
    homes = [ServerDir(tmp_path / place) for place in ("one/nats", "one/nats/cluster/node-2", "another/nats")]
    try:
        for home in homes:
            supervisor.ensure(_spec(home))
        yield homes
    finally:
        for home in homes:
            supervisor.stop(home)


def _spec(home: ServerDir) -> ServerSpec:
    client, monitor = free_port(), free_port()
    config = server_config(
        name="left",
        host="127.0.0.1",
        client_port=client,
        monitor_port=monitor,
        store_dir=str(home.data),
        max_file_store=None,
        sync_interval="2m",
    )
    return ServerSpec(
        directory=home,
        owner="project/stack",
        config=config,
        host="127.0.0.1",
        client_port=client,
        monitor_port=monitor,
    )


def test_servers_below_a_folder_are_ended(servers: list[ServerDir], tmp_path: Path) -> None:
    """They are named, those elsewhere run on, and a second time there is nobody."""
    *left, other = servers
    assert {home.path for home in left} == {*end_servers(tmp_path / "one")}
    assert [supervisor.find(home) is not None for home in servers] == [False, False, True]
    assert [] == end_servers(tmp_path / "one")
    assert supervisor.find(other)
