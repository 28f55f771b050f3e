"""A stream whose resource gets another name in Pulumi's state."""

from __future__ import annotations

from provisioner.jetstream.client import JetStream
from tests.e2e.library.conftest import Own

PROGRAM = """
server = Server(URL, on_delete="delete")
Stream(os.environ["RESOURCE"], name="HELD", subjects=["held"], server=server)
"""


def test_a_stream_under_another_resource_name(own: Own, jetstream: JetStream) -> None:
    """Without an alias too it is moved, with its messages: at any parallelism, with a refresh and without."""
    project = own.project
    own.program(PROGRAM)
    project.up(RESOURCE="first")
    before = jetstream.stream("HELD")
    assert before
    for _ in range(4):
        jetstream.connection.request("held", b"payload")
    for resource, options in (("second", []), ("third", ["--parallel", "1"]), ("fourth", ["--refresh=false"])):
        project.up(*options, RESOURCE=resource)
        info = jetstream.stream("HELD")
        assert info
        assert (4, before.created) == (info.messages, info.created)
    project.environment["RESOURCE"] = "fourth"
    assert project.unchanged()
    project.destroy()
    assert jetstream.stream("HELD") is None
