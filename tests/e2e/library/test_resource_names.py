"""A program of one's own, which has streams and nothing else of this project."""

from __future__ import annotations

import pytest

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project
from tests.support.nats_server import NatsServer

PROGRAM = """
import os

from provisioner import Server, Stream

server = Server(os.environ["URL"], on_delete="delete")
Stream(os.environ["RESOURCE"], name="HELD", subjects=["held"], server=server)
"""


@pytest.fixture
def own(project: Project, server: NatsServer) -> Project:
    """A project with this program instead of ours."""
    (project.folder / "__main__.py").unlink()
    (project.folder / "__main__.py").write_text(PROGRAM)
    project.configure()
    project.environment["URL"] = server.url
    return project


def test_a_stream_under_another_resource_name(own: Project, jetstream: JetStream) -> None:
    """Without an alias too it is moved, with its messages: at any parallelism, with a refresh and without."""
    own.up(RESOURCE="first")
    before = jetstream.stream("HELD")
    assert before
    for _ in range(4):
        jetstream.connection.request("held", b"payload")
    for resource, options in (("second", []), ("third", ["--parallel", "1"]), ("fourth", ["--refresh=false"])):
        own.up(*options, RESOURCE=resource)
        info = jetstream.stream("HELD")
        assert info
        assert (4, before.created) == (info.messages, info.created)
    own.environment["RESOURCE"] = "fourth"
    assert own.unchanged()
    own.destroy()
    assert jetstream.stream("HELD") is None
