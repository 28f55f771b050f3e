"""What can be read of a server: the record in its folder, and what answers on its port."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from provisioner.local_server import ports, server_dir, store
from provisioner.local_server.server_dir import ServerDir

HOST = "127.0.0.1"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"process": 1}', '{"ports": 5, "process": null}'])
def test_broken_record_is_none(tmp_path: Path, text: str) -> None:
    """A record that cannot be read is as none."""
    directory = ServerDir(tmp_path)
    directory.record.write_text(text)

    assert server_dir.read(directory) is None


@pytest.mark.parametrize("line", [b"", b"HTTP/1.1 400 Bad Request\r\n", b"INFO {\r\n", b"INFO []\r\n", b"INFO {}\r\n"])
def test_greeting_of_something_else(line: bytes) -> None:
    """What does not greet like a NATS server is none, and never an exception."""
    with socket.create_server((HOST, 0)) as listener:

        def greet() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.sendall(line)

        greeter = threading.Thread(target=greet)
        greeter.start()
        greeting = ports.greeting(HOST, listener.getsockname()[1])
        greeter.join()
    assert greeting is None


def test_a_stream_that_is_being_deleted_is_none(tmp_path: Path) -> None:
    """nats-server has answered that it is gone, puts a dot before its folder's name, and removes the files later."""
    for name in ("ORDERS", ".AUDIT"):
        (tmp_path / "jetstream" / "$G" / "streams" / name).mkdir(parents=True)
    assert {"ORDERS"} == store.stream_names(tmp_path)
