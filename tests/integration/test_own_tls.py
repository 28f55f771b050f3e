"""TLS of servers of the stack's own: what the supervisor does to a real one, and what `status` sees of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.servers.nats_conf import Cluster, Tls, server_config
from provisioner.certificates.authority import Pair, new_authority, sign
from provisioner.jetstream.certificates import shown
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.monitoring import fetch
from provisioner.jetstream.target import Credentials
from provisioner.local_server import cluster, ports, server_dir, supervisor
from provisioner.local_server.server_dir import CA_FILE, PAIR_FILE, Peer, ServerDir, ServerSpec
from provisioner.local_server.supervisor import ServerError
from tests.support.certificates import authority, server_block
from tests.support.nats_server import running
from tests.support.ports import free_port
from tests.support.status import Address, found, told
from tests.support.waiting import until

HOST = "127.0.0.1"
NOW = datetime.now(UTC)
AUTHORITY = new_authority("test", NOW)
TRUSTING = Credentials(trusted=AUTHORITY.cert)


def files(pair: Pair | None = None) -> dict[str, str]:
    """What a server with this certificate has in its folder."""
    pair = pair or sign(AUTHORITY, "test", [HOST], NOW)
    return {PAIR_FILE: pair.cert + pair.key, CA_FILE: AUTHORITY.cert}


def specs(folder: Path, nodes: int) -> list[ServerSpec]:
    """Servers without TLS, one or a cluster."""
    peers = [Peer(ServerDir(folder / f"node-{n}"), free_port(), free_port()) for n in range(nodes)]
    routes = tuple(f"{HOST}:{free_port()}" for _ in peers)
    return [
        ServerSpec(
            directory=own.directory,
            owner="project/stack",
            config=_config(own, routes, route, None),
            host=HOST,
            client_port=own.client_port,
            monitor_port=own.monitor_port,
            cluster_port=int(route.rpartition(":")[2]) if nodes > 1 else None,
            peers=tuple(peer for peer in peers if peer is not own),
        )
        for own, route in zip(peers, routes, strict=True)
    ]


def _config(own: Peer, routes: tuple[str, ...], route: str, tls: Tls | None) -> str:
    return server_config(
        name=own.directory.path.name,
        host=HOST,
        client_port=own.client_port,
        monitor_port=own.monitor_port,
        store_dir=str(own.directory.data),
        max_file_store=1024**3,
        sync_interval="always",
        log=own.directory.log,
        cluster=Cluster(name="c", listen=route, routes=routes) if len(routes) > 1 else None,
        tls=tls,
    )


def with_tls(spec: ServerSpec, pair: Pair | None = None) -> ServerSpec:
    """The same server with TLS."""
    pem, ca = (str(spec.directory.tls / name) for name in (PAIR_FILE, CA_FILE))
    routes = [line for line in spec.config.splitlines() if line.startswith("  routes")]
    addresses = (
        tuple(part.strip('"').removeprefix("nats://") for part in routes[0][11:-1].split(", ")) if routes else ()
    )
    own = Peer(spec.directory, spec.client_port, spec.monitor_port)
    config = _config(own, addresses, f"{HOST}:{spec.cluster_port}", Tls(ca=ca, cert=pem, key=pem))
    return replace(spec, config=config, ca=ca, tls_files=files(pair))


@pytest.fixture
def single(tmp_path: Path) -> Iterator[ServerSpec]:
    """A server as it should be, without TLS; stopped in the end."""
    (spec,) = specs(tmp_path, 1)
    yield spec
    supervisor.stop(spec.directory)


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[ServerSpec]]:
    """Three nodes that run without TLS; stopped in the end."""
    made = specs(tmp_path, 3)
    try:
        for spec in made:
            supervisor.ensure(spec)
        yield made
    finally:
        for spec in made:
            supervisor.stop(spec.directory)


def address(spec: ServerSpec) -> Address:
    """Where it speaks TLS."""
    return Address(f"tls://{HOST}:{spec.client_port}", f"https://{HOST}:{spec.monitor_port}")


def ends(spec: ServerSpec) -> set[datetime]:
    """When the certificates end that its two ports show."""
    there = shown([address(spec).url, address(spec).monitor_url], TRUSTING)
    assert len(there) == 2
    return {each.ends for each in there if each.ends}


def test_a_server_with_tls(single: ServerSpec) -> None:
    """It is ready and healthy to those who trust the CA, and logs no probe as an error; another file is a reload."""
    spec = with_tls(single)
    supervisor.ensure(spec)
    assert ports.health_problem(HOST, spec.monitor_port, spec.ca) is None
    assert supervisor.greets(spec)
    assert "TLS handshake error" not in spec.directory.log.read_text()
    assert fetch(address(spec).monitor_url, ["/healthz"], TRUSTING)["/healthz"].body == {"status": "ok"}
    stranger = fetch(address(spec).monitor_url, ["/healthz"])["/healthz"].problem
    assert stranger == "no answer: the CA of the server's certificate is not trusted; give ca a file that has it"

    before, later = supervisor.find(spec.directory), sign(AUTHORITY, "test", [HOST], NOW - timedelta(days=9))
    with closing(JetStream(address(spec).url, TRUSTING)) as client:
        supervisor.ensure(replace(spec, tls_files=files(later)))
        assert client.connection.is_encrypted
        assert 0 == client.account()["streams"]
    assert before == supervisor.find(spec.directory)
    assert {later.ends} == ends(spec)


def test_a_file_that_is_gone(single: ServerSpec) -> None:
    """The reason is nats-server's own, and the next run heals it."""
    spec = with_tls(single)
    supervisor.ensure(spec)
    before = ends(spec)
    broken = replace(spec, config=spec.config.replace(PAIR_FILE, "nothing.pem"))
    with pytest.raises(ServerError, match=r"nothing\.pem: no such file"):
        supervisor.ensure(broken)
    supervisor.ensure(spec)
    assert before == ends(spec)


@pytest.mark.parametrize(
    ("days", "severity", "text"),
    [
        (300, "OK", "in 299 days"),
        (10, "WARNING", "in 9 days; renew it; of an authority of the stack's own, up does"),
        (-1, "CRITICAL", "the server's certificate has expired; renew it on the server"),
    ],
)
def test_status_of_somebody_else_s_server(tmp_path: Path, days: int, severity: str, text: str) -> None:
    """The server says what it shows, also where only its greeting tells that it speaks TLS."""
    ours = authority(tmp_path / "ours")
    with running(tmp_path / "nats", server_block(ours.sign("server", days=days))) as server:
        report = told(server, NATS_CA=str(ours.ca))
        assert found(report, severity)["certificate"].endswith(text)
        assert [server.url] == [each["url"] for each in report["certificates"]]
        assert "is not trusted" in found(told(server), "UNKNOWN")["certificate"]


def test_status_of_a_server_without_tls(tmp_path: Path) -> None:
    """Nothing is said of certificates."""
    with running(tmp_path) as server:
        assert not {"certificates"} & told(server).keys()
        assert "certificate" not in {check["name"] for check in told(server)["checks"]}


def test_a_cluster_gets_tls_node_by_node(nodes: list[ServerSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    """With one node of each kind the cluster is whole; a node that is down comes back with TLS first."""
    monkeypatch.setattr(cluster, "_STEADY_S", 0.5)
    process = server_dir.read(nodes[2].directory)
    assert process
    assert process.process
    os.kill(process.process.pid, signal.SIGKILL)
    until("it is gone", lambda: not process.is_alive(), 5)
    wanted = [with_tls(spec) for spec in nodes]
    for spec in (wanted[2], wanted[0], wanted[1]):
        supervisor.ensure(spec)
        assert [] == cluster._unhealthy(spec)  # noqa: SLF001 - each asked as it speaks now
        assert ports.health_problem(HOST, spec.monitor_port, spec.ca) is None
    for spec in wanted:
        assert spec.config == server_dir.read_config(spec.directory)
    routes = fetch(address(wanted[0]).monitor_url, ["/routez"], TRUSTING)["/routez"].body["routes"]
    assert {"node-1", "node-2"} == {route["remote_name"] for route in routes}
