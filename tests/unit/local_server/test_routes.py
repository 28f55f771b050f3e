"""The one line of a node's configuration that all nodes of a cluster have to agree on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infra.servers.nats_conf import Cluster, Tls, server_config
from provisioner.local_server.routes import adapted
from provisioner.local_server.server_dir import ServerDir, ServerSpec

ONE, TWO = ServerDir(Path("/nats/node-1")), ServerDir(Path("/nats/node-2"))
ELSEWHERE = Tls(ca="/etc/ca.pem", cert="/etc/cert.pem", key="/etc/key.pem")


def config(directory: ServerDir, tls: Tls | None) -> str:
    """A node's."""
    routes = ("127.0.0.1:1", "127.0.0.1:2")
    return server_config(
        name=directory.path.name,
        host="127.0.0.1",
        client_port=4222,
        monitor_port=8222,
        store_dir=str(directory.data),
        max_file_store=None,
        sync_interval="always",
        cluster=Cluster(name="c", listen=routes[directory is TWO], routes=routes),
        tls=tls,
    )


def own(directory: ServerDir) -> Tls:
    """With files of its own."""
    pair = str(directory.tls / "server.pem")
    return Tls(ca=str(directory.tls / "ca.pem"), cert=pair, key=pair)


def spec(tls: Tls | None) -> ServerSpec:
    """The first node as it should be."""
    return ServerSpec(
        directory=ONE, owner="o", config=config(ONE, tls), host="127.0.0.1", client_port=4222, monitor_port=8222
    )


@pytest.mark.parametrize(("first", "second"), [(own(ONE), own(TWO)), (ELSEWHERE, ELSEWHERE)])
def test_routes_alone(first: Tls, second: Tls) -> None:
    """Clients and monitoring are as they were: that needs a restart. What has been adapted has nothing left to do."""
    clear, wanted = config(TWO, None), config(TWO, second)
    after = adapted(clear, spec(first), TWO)
    line = next(line for line in wanted.splitlines() if line.startswith("  tls"))
    assert [line] == [each for each in after.splitlines() if each not in clear.splitlines()]
    assert after == adapted(after, spec(first), TWO)
    assert wanted == adapted(wanted, spec(first), TWO)
    assert clear == adapted(after, spec(None), TWO)


def test_other_files() -> None:
    """One line takes the place of the other."""
    changed = adapted(config(TWO, own(TWO)), spec(ELSEWHERE), TWO)
    assert changed.count("/etc/cert.pem") == 1
    assert changed == adapted(changed, replace(spec(ELSEWHERE)), TWO)
