"""A stream that is there before the stack knows it: taken over, refused, or another stack's."""

from __future__ import annotations

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.providers.errors import JetStreamError
from provisioner.reconcile.context import close_all
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.requests import recorded
from tests.support.stream_provider import failures, gate, props, provider

pytestmark = pytest.mark.usefixtures("own_process")


def test_an_equal_stream_is_taken_over(
    server: NatsServer, jetstream: JetStream, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service was faster: said with its age and messages, and nothing is sent that changes it."""
    made = jetstream.create(config("ORDERS", subjects=["orders"]))
    jetstream.connection.request("orders", b"payload")
    with recorded(jetstream, "$JS.API.STREAM.*.*") as requests:
        assert [] == failures(props(server, subjects=["orders"]))
        created = provider().create(props(server, subjects=["orders"]))

    assert f"ORDERS already exists (created {made.created[:19]}Z, 1 message): taken over as it is" in (
        capsys.readouterr().err
    )
    assert made.created == (created.outs or {})["created"]
    assert {"$JS.API.STREAM.INFO.ORDERS"} == set(requests)


@pytest.mark.parametrize(("adopt", "said"), [("equal", "max_age 1d -> 7d"), ("never", "adopt is never")])
def test_another_stream_is_not_taken_over(server: NatsServer, jetstream: JetStream, adopt: str, said: str) -> None:
    """Name taken: each difference is listed in preview, and create refuses as well."""
    jetstream.create(config("ORDERS", max_age="1d"))
    wanted = props(server, max_age="7d", adopt=adopt)

    assert [True] == [said in text for text in failures(wanted)]
    with pytest.raises(JetStreamError, match=said):
        provider().create(wanted)


def test_adopt_always_changes_it(server: NatsServer, jetstream: JetStream, capsys: pytest.CaptureFixture[str]) -> None:
    """With the catalogue's yes, the plan says what taking over changes; a new stream is never made for it."""
    jetstream.create(config("ORDERS", max_age="1d"))
    wanted = props(server, max_age="7d", adopt="always")

    assert [] == failures(wanted)
    assert "taken over with max_age 1d -> 7d" in capsys.readouterr().err
    provider().create(wanted)
    live = jetstream.stream("ORDERS")
    assert live
    assert config(max_age="7d")["max_age"] == live.config["max_age"]
    close_all()  # another run, whose state does not hold the stream
    assert [True] == [
        "storage file -> memory" in text for text in failures(props(server, storage="memory", adopt="always"))
    ]


def test_adoption_is_under_the_same_guard(server: NatsServer, jetstream: JetStream) -> None:
    """adopt: always is a yes to changing settings, not to losing messages."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    for _ in range(3):
        jetstream.connection.request("orders", b"payload")
    wanted = props(server, subjects=["orders"], max_msgs=1, adopt="always")

    assert [True] == ["would delete 2 of 3 messages" in text for text in failures(wanted)]
    with pytest.raises(JetStreamError, match="would delete 2 of 3 messages"):
        provider().create(wanted)


def test_the_owner_s_mark(server: NatsServer, jetstream: JetStream) -> None:
    """Put on where asked for, never drift, another's always an error, taken off by retain."""
    mine = props(server, mark_owner=True) | {"owner": "project/mine"}
    theirs = props(server, mark_owner=True) | {"owner": "project/theirs"}
    created = provider().create(mine)
    live = jetstream.stream("ORDERS")
    assert live
    assert "project/mine" == live.config["metadata"]["pulumi.owner"]
    assert False is provider().diff("ORDERS", provider().read("ORDERS", created.outs or {}).outs or {}, mine).changes

    close_all()
    assert ["ORDERS belongs to stack project/mine; take it out of one of the two catalogues"] == failures(theirs)
    for call in (lambda: provider().create(theirs), lambda: provider().delete("ORDERS", theirs)):
        with pytest.raises(JetStreamError, match="belongs to stack project/mine"):
            call()

    provider().delete("ORDERS", mine | {"on_delete": "retain"})
    left = jetstream.stream("ORDERS")
    assert left
    assert "pulumi.owner" not in left.config["metadata"]


def test_a_resource_with_another_name(server: NatsServer, jetstream: JetStream) -> None:
    """Pulumi creates the new resource and deletes the old one: the stream is the new one's, with its messages."""
    wanted = props(server, subjects=["orders"], on_delete="delete")
    state = provider().create(wanted).outs or {}
    jetstream.connection.request("orders", b"payload")
    close_all()  # another run
    provider().read("ORDERS", state)
    assert [] == gate(server, [wanted])
    provider().create(wanted)
    provider().delete("ORDERS", state)
    info = jetstream.stream("ORDERS")
    assert info
    assert (1, state["created"]) == (info.messages, info.created)
