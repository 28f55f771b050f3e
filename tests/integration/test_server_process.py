"""The process server as Pulumi's engine calls it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.output import UNKNOWN

from infra.servers.nats_conf import server_config
from provisioner.local_server import ports, processes, supervisor
from provisioner.local_server.server_dir import ServerDir
from provisioner.providers.errors import JetStreamError
from provisioner.providers.server_process import ServerProcessProvider
from tests.support.ports import free_port

PROVIDER = ServerProcessProvider()


@pytest.fixture
def props(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What the program says of a server; numbers come from the engine as floats."""
    home, client, monitor = ServerDir(tmp_path / "home"), free_port(), free_port()
    config = server_config(
        name="test", host="127.0.0.1", client_port=client, monitor_port=monitor, store_dir=str(home.data),
        max_file_store=1024**3,
        sync_interval="always",
    )  # fmt: skip
    yield {
        "folder": str(home.path),
        "owner": "project/stack",
        "config": config,
        "host": "127.0.0.1",
        "client_port": float(client),
        "monitor_port": float(monitor),
        "on_delete": "delete",
        "status": "running",
    }
    supervisor.stop(home)


def _created(props: dict[str, Any]) -> dict[str, Any]:
    outs = PROVIDER.create(props).outs
    assert outs
    return outs


def _read(outs: dict[str, Any]) -> dict[str, Any]:
    result = PROVIDER.read("id", outs)
    assert result.outs
    assert result.inputs
    assert result.inputs == {key: value for key, value in result.outs.items() if key in result.inputs}
    return result.outs


def _kill(outs: dict[str, Any]) -> None:
    os.kill(outs["pid"], signal.SIGKILL)
    assert processes.wait(lambda: supervisor.find(ServerDir(Path(outs["folder"]))) is None, 5)
    assert ports.problem(outs["host"], int(outs["client_port"])) is None


def test_settled_server_has_no_difference(props: dict[str, Any]) -> None:
    """Read right after create gives back the very outputs, and diff finds nothing to do."""
    outs = _created(props)

    assert _read(outs) == outs
    assert not PROVIDER.diff("id", outs, props).changes
    assert outs["version"]


def test_dead_server_is_drift_and_heals(props: dict[str, Any]) -> None:
    """A server that died reads as stopped, which is a change, and update starts it on the same data."""
    outs = _created(props)
    _kill(outs)
    seen = _read(outs)

    assert seen == {**outs, "status": "stopped"}
    assert PROVIDER.diff("id", seen, props).changes
    healed = PROVIDER.update("id", seen, props).outs
    assert healed
    assert _read(healed) == healed
    assert healed["data_made"] == outs["data_made"]


def test_a_node_that_hangs_is_drift(props: dict[str, Any], tmp_path: Path) -> None:
    """The other nodes answer for the streams, so nothing else would tell."""
    peer = {"folder": str(tmp_path / "peer"), "client_port": 1.0, "monitor_port": 1.0}
    node = {**_created(props), "peers": [peer]}
    assert _read(node)["status"] == "running"
    os.kill(node["pid"], signal.SIGSTOP)
    seen = _read(node)
    os.kill(node["pid"], signal.SIGCONT)
    assert seen["status"] == "does not answer"
    assert _read(node)["status"] == "running"


def test_edited_configuration_is_drift(props: dict[str, Any]) -> None:
    """A configuration file changed by hand is seen and put back."""
    outs = _created(props)
    config = ServerDir(Path(props["folder"])).config
    config.write_text(props["config"] + "debug: true\n")

    assert PROVIDER.diff("id", _read(outs), props).changes
    PROVIDER.update("id", _read(outs), props)
    assert config.read_text() == props["config"]


def test_owner_may_be_renamed(props: dict[str, Any]) -> None:
    """A renamed stack keeps its server: the state knows it."""
    outs = _created(props)
    renamed = {**props, "owner": "project/renamed"}

    assert PROVIDER.diff("id", outs, renamed).changes
    updated = PROVIDER.update("id", outs, renamed).outs
    assert updated == {**outs, "owner": "project/renamed"}
    assert not PROVIDER.check({}, renamed).failures


def test_a_server_that_moves_leaves_no_private_key(tmp_path: Path, props: dict[str, Any]) -> None:
    """Its data stays in the old folder, as when one server becomes the first of a cluster; who it was does not."""
    outs = _created({**props, "tls_files": {"server.pem": "a certificate and its key"}})
    old, new = ServerDir(Path(props["folder"])), ServerDir(tmp_path / "new")
    assert (old.tls / "server.pem").exists()
    try:
        PROVIDER.update("id", outs, {**outs, "folder": str(new.path)})
        assert not old.tls.exists()
        assert old.data.exists()
        assert (new.tls / "server.pem").exists()
    finally:
        supervisor.stop(new)


def test_first_preview_sees_the_port(tmp_path: Path, props: dict[str, Any]) -> None:
    """A port in use already fails the check of a server that does not exist yet."""
    _created(props)
    failures = PROVIDER.check({}, {**props, "folder": str(tmp_path / "other")}).failures

    assert [f"port {port:.0f}" in failure.reason for port, failure in zip(
        (props["client_port"], props["monitor_port"]), failures, strict=True
    )] == [True, True]  # fmt: skip


def test_later_preview_sees_the_port(props: dict[str, Any]) -> None:
    """A port in use fails the diff of a dead server, where another took its place."""
    outs = _created(props)
    _kill(outs)
    seen = _read(outs)
    taken = ("127.0.0.1", int(props["client_port"]))
    with pytest.raises(JetStreamError, match="is in use"), socket.create_server(taken):
        PROVIDER.diff("id", seen, props)


def test_unknown_values_are_a_change(props: dict[str, Any]) -> None:
    """In a preview a value may be unknown: then there is nothing to check and something to change."""
    outs = _created(props)
    unknown = {**props, "config": UNKNOWN}

    assert PROVIDER.diff("id", outs, unknown).changes
    assert not PROVIDER.check({}, unknown).failures


@pytest.mark.parametrize(("policy", "kept"), [("delete", False), ("guard", True), ("retain", True)])
def test_delete(props: dict[str, Any], policy: str, *, kept: bool) -> None:
    """Delete stops the server; the data goes only with the policy that says so."""
    outs = _created({**props, "on_delete": policy})
    PROVIDER.delete("id", outs)
    home = ServerDir(Path(props["folder"]))

    assert supervisor.find(home) is None
    assert home.data.exists() is kept
    assert home.path.exists() is kept


def test_delete_of_a_dead_server(props: dict[str, Any]) -> None:
    """A server that died leaves nothing behind either, and deleting twice is no error."""
    outs = _created(props)
    _kill(outs)
    PROVIDER.delete("id", outs)
    PROVIDER.delete("id", outs)

    assert not Path(props["folder"]).exists()
