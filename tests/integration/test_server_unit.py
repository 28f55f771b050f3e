"""examples/systemd: the process server after a reboot, and the units of examples/ as systemd reads them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.servers.nats_conf import server_config
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.local_server import processes, server_dir, supervisor
from provisioner.local_server.server_dir import ServerDir, ServerSpec
from tests.support.configurations import config
from tests.support.ports import free_port
from tests.support.units import ROOT, executed

SERVER_UNIT = "examples/systemd/streams-server@.service"
UNITS = (
    SERVER_UNIT,
    "examples/drift/streams-drift.service",
    "examples/drift/streams-drift.timer",
    "examples/systemd/streams-metrics.service",
)
HOST = "127.0.0.1"
DEADLINE_S = 30.0


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[ServerSpec]:
    """A server as an up starts it; what runs in its folder is stopped in the end."""
    home, client_port, monitor_port = ServerDir(tmp_path / "home"), free_port(), free_port()
    text = server_config(
        name="test",
        host=HOST,
        client_port=client_port,
        monitor_port=monitor_port,
        store_dir=str(home.data),
        max_file_store=1024**3,
        sync_interval="always",
        log=home.log,
    )
    owner = "project/stack"
    yield ServerSpec(
        directory=home, owner=owner, config=text, host=HOST, client_port=client_port, monitor_port=monitor_port
    )
    supervisor.stop(home)


def command(spec: ServerSpec) -> list[str]:
    """What the unit starts, for this server."""
    (line,) = executed(SERVER_UNIT, "ExecStart")
    programs, folder = "%h/prediction-streams/.venv/bin", "%h/prediction-streams/.nats/%I"
    return shlex.split(
        line.replace(programs, str(Path(sys.executable).parent)).replace(folder, str(spec.directory.path))
    )


def test_a_server_that_the_machine_has_started(spec: ServerSpec) -> None:
    """After a reboot, up finds the unit's process, keeps it with its messages, and can stop it for good."""
    before = supervisor.ensure(spec).server
    client = JetStream(f"nats://{HOST}:{spec.client_port}", Credentials())
    client.create(config("ORDERS", subjects=["orders"]))
    client.publish("orders", b"one", {})
    client.close()
    assert before.process
    os.kill(before.process.pid, signal.SIGKILL)
    assert processes.wait(lambda: not before.is_alive(), DEADLINE_S)
    assert supervisor.find(spec.directory) is None

    with subprocess.Popen(command(spec), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as unit:
        assert processes.wait(lambda: supervisor.greets(spec), DEADLINE_S)
        found = supervisor.serving(spec)
        assert found
        assert found.process
        assert (unit.pid, before.data_made) == (found.process.pid, found.data_made)
        supervisor.require_runnable(spec)
        assert found.process == supervisor.ensure(spec).server.process
        recorded = server_dir.read(spec.directory)
        assert recorded
        assert found.process == recorded.process
        with urllib.request.urlopen(f"http://{HOST}:{spec.monitor_port}/jsz", timeout=DEADLINE_S) as answer:
            assert 1 == json.load(answer)["messages"]
        supervisor.stop(spec.directory)
        assert 0 == unit.wait(DEADLINE_S), "anything else would have the unit start it again"


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """Nothing is misspelt, and the programs are where a checkout has them."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    units = tmp_path / ".config/systemd/user"
    units.mkdir(parents=True)
    for unit in UNITS:
        shutil.copy(ROOT / unit, units)
    programs = tmp_path / "prediction-streams/.venv/bin"
    programs.mkdir(parents=True)
    (programs / "nats-server").symlink_to(Path(sys.executable).with_name("nats-server"))
    names = [Path(unit).name.replace("@.", "@local.") for unit in UNITS]
    (units / names[0]).symlink_to(units / Path(SERVER_UNIT).name)
    ran = subprocess.run(
        ["systemd-analyze", "--user", "verify", *(str(units / name) for name in names)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (0, "") == (ran.returncode, ran.stdout + ran.stderr)
