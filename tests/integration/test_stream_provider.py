"""What each of Pulumi's calls does on a real server: made, read, changed, planned."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.output import UNKNOWN

from provisioner.jetstream.client import JetStream
from provisioner.providers.errors import JetStreamError
from provisioner.reconcile.unopened import MISSING
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient
from tests.support.requests import recorded
from tests.support.stream_provider import failures, props, provider

pytestmark = pytest.mark.usefixtures("own_process")


def test_create_read_update_delete(server: NatsServer, jetstream: JetStream) -> None:
    """The life of a stream; an update without a difference sends no UPDATE."""
    wanted = props(server, subjects=["orders.>"], max_age="7d")
    created = provider().create(wanted)
    assert ("ORDERS", True) == (created.id, bool(created.outs and created.outs["created"]))

    longer = props(server, subjects=["orders.>"], max_age="9d")
    with recorded(jetstream, "$JS.API.STREAM.UPDATE.*") as updates:
        provider().update("ORDERS", created.outs or {}, longer)
        provider().update("ORDERS", longer, longer)
    assert ["$JS.API.STREAM.UPDATE.ORDERS"] == updates

    read = provider().read("ORDERS", created.outs or {})
    assert "9d" == (read.inputs or {})["max_age"]

    provider().delete("ORDERS", created.outs or {})
    assert jetstream.stream("ORDERS") is None
    gone = provider().read("ORDERS", created.outs or {})
    assert ("ORDERS", MISSING) == (gone.id, (gone.outs or {})["status"])
    assert provider().read("ORDERS", props(server)).id == "", "one that was never made"


def test_update_makes_a_stream_that_is_gone(server: NatsServer, jetstream: JetStream) -> None:
    """Update means ensure: one up heals."""
    wanted = props(server)
    provider().update("ORDERS", wanted, wanted)
    assert jetstream.stream("ORDERS")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"subjects": ["taken.here"]}, "overlaps 'taken.>' of stream OTHER", id="subjects overlap"),
        pytest.param({"subjects": ["a..b"]}, "'a..b' is not a valid subject", id="invalid subject"),
        pytest.param({"num_replicas": 3}, "this is a single server, write 1", id="replicas on one server"),
        pytest.param({"sealed": True}, "create it, then seal it", id="sealed from the start"),
        pytest.param(
            {"max_bytes": "30GiB"},
            "asks for 30.0 GiB more; of the 20.0 GiB this server has for file streams 1.0 GiB are reserved",
            id="not enough storage",
        ),
    ],
)
def test_preview_refuses_what_up_would_run_into(
    server: NatsServer, jetstream: JetStream, fields: dict[str, Any], reason: str
) -> None:
    """The reason names the field, the other stream, the figures; nothing is touched."""
    jetstream.create(config("OTHER", subjects=["taken.>"], max_bytes="1GiB"))
    with recorded(jetstream, "$JS.API.STREAM.CREATE.*") as requests:
        said = failures(props(server, **fields))

    assert [True] == [reason in text for text in said], said
    assert [] == requests
    with pytest.raises(JetStreamError, match="ORDERS"):
        provider().create(props(server, **fields))


def test_an_update_the_server_would_refuse(server: NatsServer, jetstream: JetStream, raw: RawClient) -> None:
    """Consumers over new limits are named in preview."""
    jetstream.create(config("ORDERS"))
    raw.add_consumer("ORDERS", "slow", max_ack_pending=100)

    said = failures(props(server, consumer_limits={"max_ack_pending": 5}), olds=props(server))
    assert ["consumer_limits.max_ack_pending is below that of consumer slow"] == said


def test_a_change_that_needs_a_new_stream_is_a_replacement(server: NatsServer) -> None:
    """A first sequence is for new messages: replaced, the old one deleted first."""
    diff = provider().diff("ORDERS", props(server), props(server, first_seq=9))
    assert (True, ["first_seq"], True) == (diff.changes, diff.replaces, diff.delete_before_replace)


def test_nobody_is_asked_before_the_server_is_made(server: NatsServer) -> None:
    """A preview that is about to make the server does not ask whoever answers there now."""
    wanted = props(server, num_replicas=3)
    assert [] != failures(wanted)
    assert [] == failures({**wanted, "ready": UNKNOWN})
    assert "ready" not in provider().check({}, {**wanted, "ready": UNKNOWN}).inputs
