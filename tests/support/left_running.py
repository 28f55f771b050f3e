"""Servers of a stack's own that outlive the test which started them."""

from __future__ import annotations

from pathlib import Path

from provisioner.local_server import server_dir, supervisor
from provisioner.local_server.server_dir import ServerDir


def end_servers(below: Path) -> list[Path]:
    """End each server that lives in a folder below this one, and no other; where they were."""
    servers = (server_dir.read(ServerDir(record.parent)) for record in below.rglob("server.json"))
    left = [server.directory for server in servers if server and server.is_alive()]
    for directory in left:
        supervisor.stop(directory)
    return [directory.path for directory in left]
