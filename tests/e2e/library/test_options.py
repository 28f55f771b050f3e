"""Pulumi's options on streams of somebody's own program."""

from __future__ import annotations

import json
from typing import Any

from provisioner.jetstream.client import JetStream
from tests.e2e.library.conftest import Own
from tests.support.configurations import config

BEFORE = """
server = Server(URL, on_delete="delete")
Stream("PROTECTED", server=server, opts=ResourceOptions(protect=True))
Stream("RETAINED", server=server, opts=ResourceOptions(retain_on_delete=True))
first = Stream("IGNORED", max_age="7d", server=server)
Stream("old", name="ALIASED", server=server, opts=ResourceOptions(additional_secret_outputs=["subjects"], parent=first))
"""
AFTER = """
server = Server(URL, on_delete="delete")
first = Stream("IGNORED", max_msgs=9, max_age="1s", server=server, opts=ResourceOptions(ignore_changes=["max_age"]))
alias = pulumi.Alias(name="old", parent=first)
Stream("new", name="ALIASED", server=server, opts=ResourceOptions(aliases=[alias], depends_on=[first]))
Stream("THERE", max_age="3d", server=server, opts=ResourceOptions(import_="THERE"))
"""


def test_options(own: Own, jetstream: JetStream) -> None:
    """protect, retain_on_delete, ignore_changes, aliases, parent, depends_on, secret outputs and import_ hold."""
    project = own.project
    own.program(BEFORE)
    project.up()
    there = jetstream.create(config("THERE", max_age="3d"))
    for name in ("PROTECTED", "RETAINED", "IGNORED"):
        jetstream.connection.request(name, b"held")
    old = _resources(own)["old"]
    assert ["subjects"] == old["additionalSecretOutputs"]
    assert old["parent"].endswith(":Stream::IGNORED")

    own.program(AFTER)
    planned = project.preview(STREAMS_ALLOW_LOSS="PROTECTED")
    assert "cannot be deleted\nbecause it is protected" in planned.text
    assert "THERE already exists" in planned.text
    assert "RETAINED leaves the catalogue and stays on the server with 1 message" in planned.text
    assert "ALIASED" not in planned.text.partition("Stream: (")[2]
    assert project.pulumi("state", "unprotect", "--all", "--yes").code == 0
    project.up(STREAMS_ALLOW_LOSS="PROTECTED")
    infos = jetstream.streams()
    assert {"ALIASED": 0, "IGNORED": 1, "RETAINED": 1, "THERE": 0} == {n: info.messages for n, info in infos.items()}
    ignored = infos["IGNORED"].config
    assert (config("X", max_age="7d")["max_age"], 9) == (ignored["max_age"], ignored["max_msgs"])
    assert there.created == infos["THERE"].created
    assert ["new", "old"] == sorted({"old", *_resources(own)} & {"old", "new"})
    assert project.unchanged()

    own.program('Stream("NOT", server=Server(URL), opts=ResourceOptions(import_="NOT"))')
    refused = project.preview(STREAMS_ALLOW_LOSS="IGNORED")
    assert "import_: there is no NOT on nats://" in refused.text


def _resources(own: Own) -> dict[str, dict[str, Any]]:
    """The resources of the state by name."""
    deployment = json.loads(own.project.pulumi("stack", "export").text)["deployment"]
    return {resource["urn"].rpartition("::")[2]: resource for resource in deployment["resources"]}
