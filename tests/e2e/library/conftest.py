"""A program of somebody's own in place of this project's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.e2e.conftest import Project
from tests.support.nats_server import NatsServer

_HEAD = """\
import os

import pulumi
from pulumi import ResourceOptions

from provisioner import Catalogue, Consumer, KeyValue, ObjectStore, Server, Stream

URL = os.environ["URL"]
"""


@dataclass(frozen=True)
class Own:
    """A project whose program the test writes."""

    project: Project

    def program(self, text: str) -> None:
        """Replace the program, of which the imports are written already."""
        (self.project.folder / "__main__.py").write_text(f"{_HEAD}{text}")


@pytest.fixture
def own(project: Project, server: NatsServer) -> Own:
    """A project with no program yet, and ``URL`` for it."""
    (project.folder / "__main__.py").unlink()
    project.configure()
    project.environment["URL"] = server.url
    return Own(project)
