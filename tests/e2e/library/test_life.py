"""A program of somebody's own through its life: what is declared, changed, taken out and let go."""

from __future__ import annotations

import json

from provisioner.jetstream.client import JetStream
from tests.e2e.library.conftest import Own

WHOLE = """
server = Server(URL)
orders = Stream("ORDERS", subjects=["orders.*"], max_age="168h", server=Server(URL))
Stream("AUDIT", subjects=["audit"], max_bytes=10_000_000, server=server)
Consumer("billing", stream=orders, filter_subject="orders.paid", ack_wait="1m")
sessions = KeyValue("sessions", history=5, ttl="1h", server=server)
Catalogue("more", catalogue={"MORE": {"consumers": {"worker": None}}, "objects": {"models": None}}, server=server)
pulumi.export("orders", [orders.name, orders.url, orders.created, orders.subjects])
pulumi.export("bucket", sessions.bucket)
"""
LESS = """
server = Server(URL)
orders = Stream("ORDERS", subjects=["orders.*"], max_age="8d", server=server)
"""


def test_nothing_is_touched_until_every_loss_is_approved(own: Own, jetstream: JetStream) -> None:
    """What leaves the program is counted in preview and in up, before the change of another stream is made."""
    project = own.project
    own.program(WHOLE)
    project.up()
    outputs = json.loads(project.pulumi("stack", "output", "--json").text)
    infos = jetstream.streams()
    assert ["AUDIT", "KV_sessions", "MORE", "OBJ_models", "ORDERS"] == sorted(infos)
    assert ["ORDERS", own.project.environment["URL"], infos["ORDERS"].created, ["orders.*"]] == outputs["orders"]
    assert "sessions" == outputs["bucket"]
    assert project.unchanged(), "in whatever words a program says it"

    jetstream.connection.request("audit", b"held")
    own.program(LESS)
    planned = project.preview()
    assert planned.code != 0
    assert "AUDIT holds 1 message and has 0 consumers, and on_delete is guard" in planned.text
    assert project.pulumi("up", "--yes", "--skip-preview").code != 0
    assert infos.keys() == jetstream.streams().keys()
    assert infos["ORDERS"].config == jetstream.streams()["ORDERS"].config
    project.up(STREAMS_ALLOW_LOSS="AUDIT")
    assert ["ORDERS"] == [*jetstream.streams()]


def test_a_program_that_fails_is_no_program_with_less(own: Own, jetstream: JetStream) -> None:
    """What it had yet to declare is not taken for what leaves it: Python's own error is what is told."""
    own.program('Stream("HELD", server=Server(URL))')
    own.project.up()
    jetstream.connection.request("HELD", b"held")
    own.program('Stream("OTHER", server=Server(URL))\nraise ValueError("half way")')
    refused = own.project.pulumi("up", "--yes", "--skip-preview")
    assert refused.code != 0
    assert "ValueError: half way" in refused.text
    assert "HELD holds" not in refused.text
    assert ["HELD"] == [*jetstream.streams()]
