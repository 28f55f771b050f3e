"""``renamed_from``: a stream gets another name and keeps its messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.archive import backup
from provisioner.backup.carry_folder import CarryFolder
from provisioner.jetstream.client import JetStream
from provisioner.providers.errors import JetStreamError
from provisioner.reconcile.context import close_all
from provisioner.reconcile.unopened import MISSING
from tests.support import snapshots
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient
from tests.support.snapshots import NAME
from tests.support.stream_provider import gate, props, provider

pytestmark = pytest.mark.usefixtures("own_process", "jetstream")

MESSAGES = 30


@pytest.fixture
def old(server: NatsServer, jetstream: JetStream, own_process: None) -> dict[str, Any]:  # noqa: ARG001 - comes first
    """The outputs of the stream that is to get another name, read as at the beginning of a run."""
    snapshots.fill(jetstream, MESSAGES)
    snapshots.consumer(jetstream, "worker")
    snapshots.consume(jetstream, "worker", 10, without=(2,))
    outs = dict(provider().create(props(server, NAME, subjects=["o.>"])).outs or {})
    provider().read(NAME, outs)
    return outs


def _new(server: NatsServer, **fields: Any) -> dict[str, Any]:
    return props(server, "EVENTS", renamed_from=NAME, **{"subjects": ["o.>"], **fields})


def _floors(raw: RawClient, stream: str) -> dict[str, int]:
    return {each["name"]: each["ack_floor"]["stream_seq"] for each in raw.consumers(stream)}


@pytest.mark.parametrize("fields", [{}, {"subjects": ["events.>"], "storage": "memory"}, {"max_age": "1d"}])
def test_another_name(
    server: NatsServer,
    jetstream: JetStream,
    raw: RawClient,
    old: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fields: dict[str, Any],
) -> None:
    """Messages and consumers are under the new name, in one create; the old resource has nothing left to delete."""
    messages, floors = raw.messages(NAME), _floors(raw, NAME)
    assert [] == gate(server, [_new(server, **fields)])
    said = capsys.readouterr().err
    assert f"EVENTS: renamed from {NAME}" in said
    assert "carried over with 30 messages (" in said

    outs = dict(provider().create(_new(server, **fields)).outs or {})
    provider().delete(NAME, old)

    assert ["EVENTS"] == raw.stream_names()
    assert messages == raw.messages("EVENTS")
    assert floors == _floors(raw, "EVENTS")
    read = provider().read("EVENTS", outs)
    assert not provider().diff("EVENTS", read.outs or {}, _new(server, **fields)).changes
    assert not provider().diff("EVENTS", read.outs or {}, {**_new(server, **fields), "renamed_from": None}).changes
    assert [] == [path for path in (tmp_path / "carried").rglob("*") if path.is_file()]
    assert jetstream.stream("EVENTS")


def test_both_hold_messages(server: NatsServer, jetstream: JetStream, raw: RawClient, old: dict[str, Any]) -> None:
    """Refused in preview and in up: nobody can tell which are meant."""
    raw.ask("STREAM.CREATE.EVENTS", {"name": "EVENTS", "subjects": ["events"]})
    raw.publish("events")
    close_all()
    provider().read(NAME, old)
    (refused,) = gate(server, [_new(server)])
    assert refused.startswith("EVENTS: renamed_from: EVENTS and ORDERS both hold messages or have consumers")
    with pytest.raises(JetStreamError, match="both hold messages"):
        provider().create(_new(server))
    assert {"EVENTS": 1, NAME: MESSAGES} == {name: info.messages for name, info in jetstream.streams().items()}


@pytest.mark.usefixtures("old")
def test_the_new_one_is_there_and_empty(server: NatsServer, raw: RawClient) -> None:
    """An up before the line was written has made it: it gives way."""
    made = dict(provider().create(props(server, "EVENTS", subjects=["events"])).outs or {})
    outs = dict(provider().update("EVENTS", made, _new(server)).outs or {})
    assert MESSAGES == raw.info("EVENTS")["state"]["messages"]
    assert outs["created"] != made["created"]
    assert ["EVENTS"] == raw.stream_names()


def test_the_old_one_is_gone(server: NatsServer, raw: RawClient) -> None:
    """Harmless: a stream like any other."""
    assert [] == gate(server, [_new(server)])
    provider().create(_new(server))
    assert ["EVENTS"] == raw.stream_names()


def test_the_old_one_is_somebody_elses(server: NatsServer, jetstream: JetStream) -> None:
    """A stream that is not in the state is left as it is."""
    snapshots.fill(jetstream, 3)
    (refused,) = gate(server, [_new(server)])
    assert f"renamed_from: {NAME} is not this stack's stream" in refused
    with pytest.raises(JetStreamError, match="is not this stack's stream"):
        provider().create(_new(server))
    assert 3 == len(snapshots.messages(jetstream))


@pytest.mark.usefixtures("old")
def test_what_messages_cannot_go_through(server: NatsServer) -> None:
    """A first sequence is for new messages; the field is named."""
    (refused,) = gate(server, [_new(server, first_seq=1000)])
    assert "EVENTS: renamed_from: messages cannot be carried through a change of first_seq" == refused


def test_a_run_that_was_killed_with_the_old_one_gone(
    server: NatsServer, jetstream: JetStream, raw: RawClient, old: dict[str, Any]
) -> None:
    """The state has the old name, the messages are in its copy: the next run completes it under the new one."""
    backup(jetstream, NAME, CarryFolder(server.url, NAME).path, snapshots.silent)
    snapshots.delete(jetstream, server)
    close_all()
    assert "half carried over" in (provider().read(NAME, old).outs or {})["status"]
    with pytest.raises(JetStreamError, match="is half carried over"):
        provider().delete(NAME, old)
    assert [] == gate(server, [_new(server)])

    provider().create(_new(server))
    provider().delete(NAME, old)
    assert MESSAGES == raw.info("EVENTS")["state"]["messages"]


def test_a_run_that_was_killed_before_the_state_had_the_new_one(
    server: NatsServer, raw: RawClient, old: dict[str, Any]
) -> None:
    """It is known again by the note beside the copy, whatever adopt says, and takes further changes."""
    provider().create(_new(server))
    close_all()
    assert MISSING == (provider().read(NAME, old).outs or {})["status"]
    wanted = _new(server, adopt="never", max_age="1d")
    assert [] == gate(server, [wanted])
    outs = provider().create(wanted).outs or {}
    assert (MESSAGES, outs["created"]) == (raw.info("EVENTS")["state"]["messages"], raw.info("EVENTS")["created"])
