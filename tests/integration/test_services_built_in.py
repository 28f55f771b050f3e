"""The built-in identities do their whole job under their permissions, and nothing that was switched off."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.catalogue.reader import load
from provisioner.cli.main import main
from provisioner.errors import ApiError, LoginRefused, Refused
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import make
from provisioner.jetstream.target import Credentials
from provisioner.reconcile import apply, deletion
from provisioner.reconcile.context import Context, context
from provisioner.schema.config import with_fields
from provisioner.schema.model import OnDelete, StreamInfo, StreamSpec
from provisioner.services.logins import Password
from provisioner.services.reader import read
from provisioner.services.server_block import accounts_block
from tests.support.nats_server import running
from tests.support.nkey import user_nkey
from tests.support.raw_nats import RawClient, raw_client
from tests.support.services import SERVICES, STREAMS, Guarded, guarded

pytestmark = pytest.mark.usefixtures("own_process")

# Of "s3cret".
BCRYPT = "$2b$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG"
NAME, SUBJECT = "ROUTING", "routing.event"
# More than the server sends of a snapshot before it waits for an acknowledgement.
LARGE, MANY = random.Random(7).randbytes(900_000), 12  # noqa: S311 - no secret, but nothing that compresses


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Guarded]:
    """A server with nothing on it."""
    with guarded(tmp_path / "nats") as server:
        yield server


@pytest.fixture
def here(started: Guarded) -> Context:
    """The server as the provisioner's run sees it."""
    return context(started.server.url, started.server.monitor_url, started.credentials("provisioner"))


@pytest.fixture
def agent(started: Guarded) -> Iterator[RawClient]:
    """A service that publishes and consumes."""
    with raw_client(started.server.url, **started.login("routing-agent")) as client:
        yield client


def spec(server: Guarded, name: str = NAME) -> StreamSpec:
    """A stream of the catalogue."""
    return next(spec for spec in server.catalogue.streams if spec.name == name)


def stream(here: Context) -> StreamInfo:
    """The stream as the provisioner finds it."""
    info = here.client().stream(NAME)
    assert info
    return info


def test_streams_are_managed(started: Guarded, here: Context, agent: RawClient) -> None:
    """Created, updated, carried over to a new stream with their messages, counted and deleted."""
    for each in started.catalogue.streams:
        apply.create(here, each)
    for _ in range(3):
        agent.publish(SUBJECT)
    made, wanted = stream(here), spec(started)
    changes: list[dict[str, object]] = [{"max_age": 3 * 86_400 * 10**9}, {"persist_mode": "async"}]
    for change in changes:
        wanted = replace(wanted, config=with_fields(wanted.config, change))
        changed = apply.ensure(here, wanted, made.created)
        assert 3 == changed.messages
        assert change.items() <= changed.config.items()

    assert 3 == sum(here.client().per_subject(NAME))
    assert 0 == here.client().before(NAME, stream(here).first_time)
    deletion.delete(here, replace(wanted, on_delete=OnDelete.DELETE), stream(here).created)
    assert NAME not in here.client().streams()


@pytest.fixture
def filled(started: Guarded, here: Context, agent: RawClient) -> JetStream:
    """Two streams, one of them large and with a consumer."""
    for name in (NAME, "MARKET_DATA"):
        here.client().create(spec(started, name).config)
    for _ in range(MANY):
        agent.publish(SUBJECT, LARGE)
    agent.add_consumer("MARKET_DATA", "routing-agent")
    return here.client()


def test_streams_are_copied(
    started: Guarded,
    filled: JetStream,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A backup and a restore by the commands, by way of acknowledged chunks."""
    for key, value in started.environment("provisioner").items():
        monkeypatch.setenv(key, value)
    before = {name: (info.messages, info.consumers) for name, info in filled.streams().items()}

    assert 0 == main(["backup", "--to", str(tmp_path / "to")])
    assert [filled.delete(name) for name in before] == [True, True]
    assert 0 == main(["restore", str(tmp_path / "to")])

    capsys.readouterr()
    assert {"ROUTING": (MANY, 0), "MARKET_DATA": (0, 1)} == before
    assert before == {name: (info.messages, info.consumers) for name, info in filled.streams().items()}


def test_monitoring_sees_everything(
    started: Guarded, here: Context, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`streams status` needs no more than the monitoring's permissions."""
    for each in started.catalogue.streams:
        apply.create(here, each)
    for hop in started.catalogue.consumers:
        make(here.client(), hop.stream, hop.config)
    for key, value in started.environment("monitoring").items():
        monkeypatch.setenv(key, value)
    assert 0 == main(["status"])
    assert "OK" in capsys.readouterr().out


def test_without_copies_and_counts(tmp_path: Path) -> None:
    """Switched off in the file, a copy is refused with the permission that is missing, and a count is unknown."""
    text = SERVICES.read_text() + "\nprovisioner: { copies: false, counts: false }\n"
    with guarded(tmp_path / "nats", text) as server, server.jetstream() as client:
        client.create(spec(server).config)
        with pytest.raises(Refused, match=rf"may not publish to \$JS\.API\.STREAM\.SNAPSHOT\.{NAME}; give it"):
            client.snapshot({"deliver_subject": "_INBOX_provisioner.x"}, NAME)
        assert client.before(NAME, "2026-01-01T00:00:00Z") is None


def test_nobody_else_gets_in(started: Guarded) -> None:
    """Without a login, or with a key that the server does not know."""
    for stranger in (Credentials(), Credentials(nkey=user_nkey().seed)):
        with pytest.raises(LoginRefused):
            JetStream(started.server.url, stranger)


def test_the_limits_are_those_of_the_file(started: Guarded, here: Context) -> None:
    """The server reports them, and keeps to them: there is no memory for a stream."""
    limits = here.client().account()["limits"]
    expected = {"max_memory": 0, "max_storage": 20 * 1024**3, "max_streams": 10, "max_consumers": 50}
    assert expected == {name: limits[name] for name in expected}
    with pytest.raises(ApiError, match="insufficient memory resources"):
        here.client().create(with_fields(spec(started).config, {"storage": "memory"}))


def test_the_global_account_and_a_password(tmp_path: Path) -> None:
    """Without an account in the file, the streams that a server without users had are there for its users."""
    with running(tmp_path) as server, raw_client(server.url) as anybody:
        anybody.ask("STREAM.CREATE.ROUTING", {"name": "ROUTING", "subjects": ["routing.decision", "routing.event"]})
    catalogue = load(STREAMS)
    services = read("services: {s: {publishes: [routing.event]}}", "services.yaml", catalogue)
    logins = {name: Password(name, BCRYPT) for name in services.purposes}
    with running(tmp_path, accounts_block(services, catalogue, logins)) as server:
        with raw_client(server.url, user="s", password="s3cret", inbox_prefix="_INBOX_s") as service:
            assert NAME == service.publish(SUBJECT)
        with pytest.raises(LoginRefused):
            JetStream(server.url, Credentials(user="s", password=BCRYPT))
