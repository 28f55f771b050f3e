"""Catalogues imported from a real server: complete, minimal, and no change when planned against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from provisioner.catalogue import reader as catalogue
from provisioner.catalogue.writer import catalogue_of, minimal
from provisioner.cli import server as command_server
from provisioner.cli.main import main
from provisioner.errors import ApiError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import make
from provisioner.jetstream.target import Credentials
from provisioner.plan.diff import Effect, plan
from provisioner.rules.consumer_normalise import normalise_consumer
from provisioner.rules.normalise import normalise, update_request
from provisioner.rules.stream_config import create_problems, lasting_problems
from provisioner.schema.config import value_of, with_fields
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamConfig
from tests.support.configurations import NAME, config, configurations, wire_config
from tests.support.nats_server import NatsServer, running
from tests.support.snapshots import delete

EXAMPLES = int(os.environ.get("IMPORT_EXAMPLES", "300"))
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JetStream]:
    """A client, and a server of its own that holds two other streams."""
    with running(tmp_path_factory.mktemp("estate")) as server:
        client = JetStream(server.url, Credentials())
        client.create({**wire_config(), "name": "ORIGIN", "subjects": ["origin.>"], "max_msg_size": 1000})
        client.create({**wire_config(), "name": "OTHER", "subjects": ["other.>"], "allow_direct": True})
        yield client
        client.close()


@given(wanted=configurations(), sealed=st.booleans())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
def test_round_trip(estate: JetStream, wanted: StreamConfig, *, sealed: bool) -> None:
    """Whatever a server holds is a catalogue without problems, that changes nothing, and says nothing in vain.

    That the rules let everything through that a server takes is the planner's own test.
    """
    assume(not create_problems(wanted))
    try:
        estate.create(wanted)
        if sealed:
            with suppress(ApiError):
                estate.update(update_request({**wanted, "sealed": True}))
        live = estate.streams()
    except ApiError:
        reject()
    finally:
        estate.delete(NAME)
    imported = catalogue_of(live, [], "catalogue")

    assert () == imported.problems
    for spec in catalogue.parse(imported.text, "catalogue").streams:
        assert Effect.NOTHING is plan(live[spec.name].config, spec.config).effect
    _assert_minimal(live[NAME].config)


def _assert_minimal(live: StreamConfig) -> None:
    least = minimal(live)
    for field in (field for field in FIELDS if field.name != "name" and value_of(least, field.name) != field.default):
        shorter = with_fields(least, {field.name: field.default})
        assert normalise(live) != normalise(shorter) or lasting_problems(shorter), field


@pytest.fixture
def command(server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch) -> JetStream:
    """The commands' environment: NATS_URL, and the streams of the committed catalogue on that server."""
    monkeypatch.setenv("NATS_URL", server.url)
    for spec in catalogue.load(ROOT / "infra/streams.yaml").streams:
        jetstream.create(spec.config)
    return jetstream


def test_the_committed_catalogue(command: JetStream, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The five streams and their consumers come back as the catalogue has them, in its style."""
    file = tmp_path / "streams.yaml"
    committed = catalogue.load(ROOT / "infra/streams.yaml")
    for hop in committed.consumers:
        make(command, hop.stream, hop.config)
    assert main(["import", "--output", str(file)]) == 0
    assert capsys.readouterr() == ("", f"{file}: 5 streams\n")

    imported = catalogue.load(file)
    written = {spec.name: normalise(spec.config) for spec in committed.streams}
    assert written == {spec.name: normalise(spec.config) for spec in imported.streams}
    hops = {hop.label: normalise_consumer(hop.config, written[hop.stream]) for hop in committed.consumers}
    assert hops == {hop.label: normalise_consumer(hop.config, written[hop.stream]) for hop in imported.consumers}
    assert """
ROUTING:
  subjects:
    - routing.decision
    - routing.event
  max_age: 7d
  max_bytes: 512MiB
""" in file.read_text()


def test_others_streams_are_left_out(command: JetStream, capsys: pytest.CaptureFixture[str]) -> None:
    """Buckets, the server's own streams and a name no catalogue can have are told of; a mark of an owner too."""
    for name in ("KV_a", "OBJ_b", "$MQTT_c", "_d", "defaults"):
        command.create(config(name, subjects=[f"subject.of.{name}"]))
    command.create(config("MARKED", metadata={"pulumi.owner": "shop/prod"}))

    assert main(["import", "*_?", "defaults", "MARKED"]) == 0
    printed = capsys.readouterr()
    assert ["MARKED"] == [spec.name for spec in catalogue.parse(printed.out, "out").streams]
    assert printed.err.splitlines() == [
        "$MQTT_c: left out: the server's own, managed elsewhere",
        (
            'KV_a: left out: not what a client makes as bucket (subjects ["subject.of.KV_a"] -> ["$KV.a.>"], '
            "discard old -> new, deny_delete false -> true, allow_rollup_hdrs false -> true)"
        ),
        (
            'OBJ_b: left out: not what a client makes as object store (subjects ["subject.of.OBJ_b"] -> '
            '["$O.b.C.>", "$O.b.M.>"], discard old -> new, allow_direct false -> true, allow_rollup_hdrs false -> true)'
        ),
        "_d: left out: the server's own, managed elsewhere",
        "defaults: left out: no stream of a catalogue can have this name",
        "MARKED: is marked as shop/prod's; another stack cannot take it",
    ]


@pytest.mark.usefixtures("command")
def test_a_file_is_overwritten_by_force_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An existing file stays as it is without --force."""
    file = tmp_path / "mine.yaml"
    file.write_text("MINE: {}\n")
    assert main(["import", "--output", str(file)]) == 1
    assert ("MINE: {}\n", f"{file}: already exists; --force overwrites it\n") == (
        file.read_text(),
        capsys.readouterr().err,
    )
    assert main(["import", "ROUT*", "--output", str(file), "--force"]) == 0
    assert ["ROUTING"] == [spec.name for spec in catalogue.load(file).streams]
    assert [file] == list(tmp_path.iterdir())


@pytest.mark.usefixtures("command")
def test_patterns_without_a_stream(capsys: pytest.CaptureFixture[str]) -> None:
    """A pattern that matches nothing is told and makes the exit code 1, with what the others matched written."""
    assert main(["import", "ROUTING", "NONE*"]) == 1
    printed = capsys.readouterr()
    assert ["ROUTING"] == [spec.name for spec in catalogue.parse(printed.out, "out").streams]
    assert printed.err == "no stream matches 'NONE*'\n"

    assert main(["import", "NONE*"]) == 1
    assert capsys.readouterr() == ("", "no stream matches 'NONE*'\nno stream to import\n")


def test_a_stream_that_breaks_a_rule_of_the_catalogue(command: JetStream, capsys: pytest.CaptureFixture[str]) -> None:
    """A mirror whose origin takes larger messages by now is written as it is, and told with its line."""
    command.create(config("COPY", mirror={"name": "ORIGIN"}, max_msg_size=10))
    command.create(config("ORIGIN", max_msg_size=100))

    assert main(["import", "COPY", "ORIGIN"]) == 1
    printed = capsys.readouterr()
    assert "COPY:\n  max_msg_size: 10B\n  mirror:\n    name: ORIGIN\n" in printed.out
    assert printed.err.startswith("catalogue:")


@pytest.mark.parametrize("command_line", [["import"], ["backup", "A", "--to", "x"], ["restore", ".", "A"]])
def test_no_server(
    command_line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that is not there is one line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_server, "CONNECT_TIMEOUT_S", 0.3)
    assert main([*command_line, "--url", "nats://127.0.0.1:1"]) == 1
    assert "nats://127.0.0.1:1: " in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


def test_backup_and_restore(
    command: JetStream, server: NatsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each stream is a line; a failure is told, does not stop the others, and makes the exit code 1."""
    command.connection.request("routing.event", b"message")

    assert main(["backup", "ROUTING", "NONE", "PREDICTIONS", "--to", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert [line.split(" (")[0] for line in printed.out.splitlines()] == [
        f"ROUTING: 1 message in {tmp_path}/ROUTING",
        f"PREDICTIONS: 0 messages in {tmp_path}/PREDICTIONS",
    ]
    assert printed.err == "NONE: not backed up: there is no such stream on the server\n"

    delete(command, server, "ROUTING")
    command.connection.request("predictions.normal.a", b"later")
    assert main(["restore", str(tmp_path)]) == 1
    assert capsys.readouterr() == (
        "ROUTING: 1 message and 0 consumers restored\n",
        "PREDICTIONS: not restored: a stream of that name is on the server; it is left as it is\n",
    )
    delete(command, server, "ROUTING")
    assert main(["restore", str(tmp_path), "ROUTING"]) == 0
    delete(command, server, "ROUTING")
    assert main(["restore", str(tmp_path / "ROUTING")]) == 0
    assert 1 == command.state("ROUTING")["messages"]
