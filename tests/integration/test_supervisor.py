"""A nats-server that outlives us: found again, changed, healed and stopped, and no other process touched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from infra.servers.nats_conf import server_config
from provisioner.local_server import ports, processes, server_dir, supervisor
from provisioner.local_server.processes import Process
from provisioner.local_server.server_dir import ServerDir, ServerSpec
from provisioner.local_server.supervisor import ServerError
from tests.support.ports import free_port

HOST = "127.0.0.1"
GIB = 1024**3
STREAM = "ORDERS"
# One that nats-server would read as something else if it were not quoted.
KEY = '1e9 # "not a number" $HOME' + "x" * 20


def _spec(folder: Path, **changes: Any) -> ServerSpec:
    values = {"client_port": free_port(), "monitor_port": free_port(), "room": GIB, **changes}
    home = ServerDir(folder)
    config = server_config(
        name="test",
        host=HOST,
        client_port=values["client_port"],
        monitor_port=values["monitor_port"],
        store_dir=str(home.data),
        max_file_store=values["room"],
        sync_interval="always",
        log=home.log,
    )
    listens = {"client_port": values["client_port"], "monitor_port": values["monitor_port"]}
    return ServerSpec(directory=home, owner="project/stack", config=config, host=HOST, **listens)


ACCOUNT = 'accounts { "APP" { jetstream: enabled, users: [{user: a, password: b}] } }\nno_auth_user: a\n'


def _again(spec: ServerSpec, **changes: Any) -> ServerSpec:
    """The same server with something changed."""
    same = {"client_port": spec.client_port, "monitor_port": spec.monitor_port}
    return _spec(spec.directory.path, **{**same, **changes})


def _ask(spec: ServerSpec, path: str) -> Any:
    with urllib.request.urlopen(f"http://{HOST}:{spec.monitor_port}/{path}", timeout=5) as answer:
        return json.load(answer)


def _request(spec: ServerSpec, subject: str, payload: bytes = b"") -> None:
    """One request in NATS's client protocol, its answer awaited."""
    with socket.create_connection((HOST, spec.client_port), 5) as connection:
        lines = connection.makefile("rwb")
        lines.readline()
        lines.write(b"CONNECT {}\r\nSUB answer 1\r\n")
        lines.write(b"PUB %s answer %d\r\n%s\r\n" % (subject.encode(), len(payload), payload))
        lines.flush()
        while not lines.readline().startswith(b"MSG answer"):
            pass
        assert b'"error"' not in lines.readline()


def _publish(spec: ServerSpec) -> None:
    config = json.dumps({"name": STREAM, "subjects": ["orders"], "storage": "file", "retention": "limits"})
    _request(spec, f"$JS.API.STREAM.CREATE.{STREAM}", config.encode())
    _request(spec, "orders", b"hello")


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[ServerSpec]:
    """A server as it should be; what runs in its folder is stopped in the end."""
    spec = _spec(tmp_path / "home")
    yield spec
    supervisor.stop(spec.directory)


def test_starts_ready(spec: ServerSpec) -> None:
    """When `ensure` returns, clients are greeted, JetStream has its store, and the record says who runs."""
    ready = supervisor.ensure(spec)

    assert ports.greeting(HOST, spec.client_port) == ready.greeting
    assert _ask(spec, "varz")["jetstream"]["config"]["store_dir"] == str(spec.directory.data / "jetstream")
    assert server_dir.read(spec.directory) == ready.server == supervisor.serving(spec)


def test_outlives_its_starter(tmp_path: Path, spec: ServerSpec) -> None:
    """It runs on when the process that started it has ended, in a session of its own and on no pipe of ours."""
    starter = (
        "import sys; from pathlib import Path; from provisioner.local_server import server_dir, supervisor;"
        "home, owner, config, host, *ports = sys.argv[1:]; client, monitor = map(int, ports);"
        "supervisor.ensure(server_dir.ServerSpec(directory=server_dir.ServerDir(Path(home)), owner=owner,"
        " config=config, host=host, client_port=client, monitor_port=monitor))"
    )
    values = (spec.directory.path, spec.owner, spec.config, HOST, spec.client_port, spec.monitor_port)
    # Reading its output to the end would hang if the server held on to the pipe.
    subprocess.run([sys.executable, "-c", starter, *map(str, values)], check=True, capture_output=True, timeout=30)

    found = supervisor.find(spec.directory)
    assert found
    assert found.process
    assert os.getsid(found.process.pid) == found.process.pid
    assert tmp_path in spec.directory.path.parents


def test_runs_on_unchanged(spec: ServerSpec) -> None:
    """A second `ensure`, as after a lost state, keeps the very process."""
    assert supervisor.ensure(spec).server == supervisor.ensure(spec).server


def test_limit_is_reloaded(spec: ServerSpec) -> None:
    """A new max_file_store is taken by the running process."""
    before = supervisor.ensure(spec)
    after = supervisor.ensure(_again(spec, room=2 * GIB))

    assert after.server == before.server
    assert _ask(spec, "varz")["jetstream"]["config"]["max_storage"] == 2 * GIB


def test_an_account_that_is_taken_away(spec: ServerSpec) -> None:
    """Its streams stay on the disk, which makes the server unhealthy for good, and not less ready."""
    supervisor.ensure(replace(spec, config=f"{spec.config}{ACCOUNT}"))
    _publish(spec)
    began = time.monotonic()
    supervisor.ensure(spec)
    supervisor.stop(spec.directory)
    supervisor.ensure(spec)
    assert time.monotonic() - began < supervisor.READY_TIMEOUT_S / 2
    with pytest.raises(HTTPError):
        _ask(spec, "healthz")


def test_a_key_is_in_the_environment_alone(spec: ServerSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data is encrypted with it; no file has it, and no secret of the run is beside it."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of this run")
    encrypted = _encrypted(spec, KEY)
    ready = supervisor.ensure(encrypted)
    _publish(spec)
    assert ready.server.process
    environment = Path(f"/proc/{ready.server.process.pid}/environ").read_text()
    assert KEY in environment.replace("\\", "")
    assert "of this run" not in environment
    files = [file for file in spec.directory.path.rglob("*") if file.is_file()]
    assert not [file for file in files if KEY.encode() in file.read_bytes()]
    assert not [file for file in files if b"hello" in file.read_bytes()]
    assert KEY not in repr(encrypted)
    supervisor.stop(spec.directory)
    supervisor.ensure(encrypted)
    assert _ask(spec, "jsz")["messages"] == 1


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (KEY, KEY * 2, "is encrypted with another key"),
        (KEY, None, "is encrypted with another key"),
        (None, KEY, "has streams that are not encrypted; set another storeDir"),
    ],
)
def test_data_keeps_its_key(spec: ServerSpec, before: str | None, after: str | None, problem: str) -> None:
    """What nats-server would not find again, or rewrite at a risk, is refused, and the server runs on."""
    ready = supervisor.ensure(_encrypted(spec, before))
    _publish(spec)
    with pytest.raises(ServerError, match=problem):
        supervisor.ensure(_encrypted(spec, after))
    assert supervisor.find(spec.directory) == ready.server
    supervisor.stop(spec.directory)
    with pytest.raises(ServerError, match=problem):
        supervisor.ensure(_encrypted(spec, after))


def _encrypted(spec: ServerSpec, key: str | None) -> ServerSpec:
    """The same server with encrypted data."""
    cipher = f"  sync_interval: always\n  cipher: aes\n  key: ${supervisor.KEY_VARIABLE}\n" if key else ""
    config = spec.config.replace('  sync_interval: "always"\n', cipher) if cipher else spec.config
    return replace(spec, config=config, encryption_key=key)


@pytest.mark.parametrize("port", ["client_port", "monitor_port"])
def test_port_restarts(spec: ServerSpec, port: str) -> None:
    """A port cannot be reloaded: the server comes back on the new one with its data."""
    before = supervisor.ensure(spec)
    _publish(spec)
    moved = _again(spec, **{port: free_port()})
    after = supervisor.ensure(moved)

    assert after.server.process != before.server.process
    assert after.server.data_made == before.server.data_made
    assert _ask(moved, "jsz")["messages"] == 1
    assert ports.problem(HOST, getattr(spec, port)) is None


def test_killed_server_comes_back(spec: ServerSpec) -> None:
    """After a kill -9 nothing is found, and `ensure` starts it with its data."""
    server = supervisor.ensure(spec).server
    _publish(spec)
    assert server.process
    os.kill(server.process.pid, signal.SIGKILL)
    assert processes.wait(lambda: supervisor.find(spec.directory) is None, 5)

    assert supervisor.ensure(spec).server.data_made == server.data_made
    assert _ask(spec, "jsz")["messages"] == 1


def test_a_start_that_was_cut_short(spec: ServerSpec) -> None:
    """Whoever starts a server may be killed before its process is in the record: it is found, and stopped too."""
    started = supervisor.ensure(spec).server
    for change in (supervisor.ensure, lambda again: supervisor.stop(again.directory)):
        server_dir.write(replace(started, process=None))
        assert started == server_dir.read(spec.directory)
        supervisor.require_runnable(spec)
        change(spec)
    assert not started.is_alive()
    server_dir.write(replace(started, process=None))
    assert supervisor.find(spec.directory) is None


def test_removed_folder_is_new_data(spec: ServerSpec) -> None:
    """A server whose files are gone is restarted, and says that its data is other data."""
    before = supervisor.ensure(spec).server
    shutil.rmtree(spec.directory.path)
    after = supervisor.ensure(spec, before).server

    assert not before.is_alive()
    assert after.data_made != before.data_made
    assert spec.directory.data.is_dir()


def test_other_folder(tmp_path: Path, spec: ServerSpec) -> None:
    """A server that moves stops in its old folder, leaves the data there and takes its ports along."""
    before = supervisor.ensure(spec).server
    moved = _again(replace(spec, directory=ServerDir(tmp_path / "moved")))
    after = supervisor.ensure(moved, before).server
    try:
        assert not before.is_alive()
        assert spec.directory.data.is_dir()
        assert after.data_made != before.data_made
    finally:
        supervisor.stop(moved.directory)


def test_recycled_pid(spec: ServerSpec, stranger: Process) -> None:
    """A record whose pid now is somebody else's finds nothing, and stop lets that process live."""
    server = supervisor.ensure(spec).server
    supervisor.stop(spec.directory)
    recycled = replace(server, process=stranger)
    server_dir.write(recycled)

    assert supervisor.find(spec.directory, recycled) is None
    supervisor.stop(spec.directory, recycled)
    assert supervisor.ensure(spec, recycled).server.process != stranger


def test_same_pid_of_another_time(spec: ServerSpec) -> None:
    """Even our own command line does not make a process ours when it started at another time."""
    server = supervisor.ensure(spec).server
    assert server.process
    assert not replace(server, process=replace(server.process, started="1")).is_alive()


def test_port_of_another_server(tmp_path: Path, spec: ServerSpec) -> None:
    """A port somebody else's nats-server holds is refused by name, and that server runs on."""
    other = _spec(tmp_path / "other", client_port=spec.client_port)
    server = supervisor.ensure(other).server
    try:
        with pytest.raises(
            ServerError, match=rf"port {spec.client_port} of {HOST} is in use by a nats-server .* named test;"
        ):
            supervisor.ensure(spec)
        assert server.is_alive()
        assert not spec.directory.path.exists()
    finally:
        supervisor.stop(other.directory)


def test_port_of_something_else(spec: ServerSpec) -> None:
    """A port that something else holds is refused, and the server that runs is not stopped for it."""
    server = supervisor.ensure(spec).server
    with socket.create_server((HOST, 0)) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(ServerError, match=f"^port {taken} of {HOST} is in use; stop what listens there"):
            supervisor.ensure(_again(spec, monitor_port=taken))
    assert server.is_alive()


def test_two_side_by_side(tmp_path: Path, spec: ServerSpec) -> None:
    """Two servers in folders of their own do not see each other."""
    second = _spec(tmp_path / "second")
    one, two = supervisor.ensure(spec).server, supervisor.ensure(second).server
    supervisor.stop(second.directory)

    assert one.is_alive()
    assert not two.is_alive()


def test_folder_of_another_owner(spec: ServerSpec) -> None:
    """Another stack does not take over our server by naming our folder."""
    supervisor.ensure(spec)
    with pytest.raises(ServerError, match=r"home belongs to project/stack; choose another folder"):
        supervisor.ensure(replace(spec, owner="project/other"))


def test_data_of_somebody_else(spec: ServerSpec) -> None:
    """Data that no record says is ours is neither used nor removed."""
    spec.directory.data.mkdir(parents=True)
    with pytest.raises(ServerError, match="was not made by this project"):
        supervisor.ensure(spec)
    server_dir.remove(spec.directory)

    assert spec.directory.data.exists()


def test_early_exit_says_why(spec: ServerSpec) -> None:
    """A server that ends at once is an error with its own last words."""
    with pytest.raises(ServerError, match=r"did not become ready: .*unknown field .*\(log: .*nats.log\)"):
        supervisor.ensure(replace(spec, config="no_such_option: 1\n"))
    assert supervisor.find(spec.directory) is None


def test_the_log_is_limited(spec: ServerSpec) -> None:
    """A full log is put aside, the one before it goes; a reload is still understood, and all of it is removed."""
    small = spec.config.replace("64MB", "2KB") + "debug: true\n"
    supervisor.ensure(replace(spec, config=small))
    full: set[Path] = set()

    def three_were_full() -> bool:
        ports.greeting(HOST, spec.client_port)
        full.update(spec.directory.full_logs)
        return len(full) >= 3

    assert processes.wait(three_were_full, 30)
    assert processes.wait(lambda: len(spec.directory.full_logs) == 1, 5)
    assert spec.directory.log.exists()
    pid = supervisor.ensure(replace(spec, config=f"{small}max_payload: 2MB\n")).server.process
    assert pid == supervisor.ensure(replace(spec, config=small)).server.process

    supervisor.stop(spec.directory)
    server_dir.remove(spec.directory)
    assert not spec.directory.path.exists()


def test_remove_leaves_what_is_not_ours(spec: ServerSpec) -> None:
    """Removing a home takes its own files, and the folder only when nothing else is in it."""
    supervisor.ensure(spec)
    supervisor.stop(spec.directory)
    notes = spec.directory.path / "notes.txt"
    notes.touch()
    server_dir.remove(spec.directory)

    assert [*spec.directory.path.iterdir()] == [notes]
