"""Several servers in one program, each with a login and a gate of its own."""

from __future__ import annotations

from pathlib import Path

from provisioner.jetstream.client import JetStream
from provisioner.units import parse_duration
from tests.e2e.library.conftest import Own
from tests.support.nats_server import running

PROGRAM = """
locked = Server(os.environ["LOCKED"], name="locked", user="u", password=os.environ["PASSWORD"])
Stream("one", name="ORDERS", max_age="1d", server=Server(URL))
Stream("two", name="ORDERS", max_age=os.environ.get("AGE", "2d"), server=locked)
"""


def test_streams_of_one_name_on_two_servers(own: Own, jetstream: JetStream, tmp_path: Path) -> None:
    """Neither is taken for the other, a login is rotated by an up, and one that leaves is counted where it is."""
    with running(tmp_path / "locked", extra="authorization { user: u, password: old }") as server:
        project = own.project
        project.environment |= {"LOCKED": server.url, "PASSWORD": "old"}
        own.program(PROGRAM)
        project.up()
        jetstream.connection.request("ORDERS", b"held")
        server.kill()
        server.extra = "authorization { user: u, password: new }"
        server.start()
        project.environment |= {"PASSWORD": "new", "AGE": "3d"}
        project.up()
        assert project.unchanged()
        ages = [jetstream.streams()["ORDERS"].config["max_age"]]
        assert [parse_duration("1d")] == ages
        own.program(PROGRAM.replace('Stream("one"', 'Server(URL)\n0 and Stream("one"').replace("3d", "4d"))
        refused = project.preview()
        assert refused.code != 0
        assert "resource 'server' has a problem: ORDERS holds 1 message" in refused.text
        assert "resource 'locked'" not in refused.text
