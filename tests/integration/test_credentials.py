"""Every way to log in, on a server that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.errors import Refused
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.connection import Connection
from provisioner.jetstream.target import Credentials
from tests.support.jwt import operator
from tests.support.nats_server import NatsServer, running


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[tuple[NatsServer, str]]:
    """A server in operator mode, and a user's .creds."""
    made = operator()
    with running(tmp_path / "nats", made.config) as server:
        yield server, made.creds


def test_a_creds_file_and_its_text(managed: tuple[NatsServer, str], tmp_path: Path) -> None:
    """Both open the account's JetStream."""
    server, creds = managed
    file = tmp_path / "user.creds"
    file.write_text(creds)
    for given in (creds, str(file)):
        client = JetStream(server.url, Credentials(credentials=given))
        assert 0 == client.account()["streams"]
        client.close()


def test_no_credentials(managed: tuple[NatsServer, str]) -> None:
    """Refused, with what to check."""
    with pytest.raises(Refused, match="check user, password, token, credentials or nkey"):
        Connection(managed[0].url, Credentials())


def test_a_token(tmp_path: Path) -> None:
    """A wrong one is refused, and neither is ever shown."""
    with running(tmp_path / "nats", 'authorization { token: "s3cret" }') as server:
        Connection(server.url, Credentials(token="s3cret")).close()
        with pytest.raises(Refused) as refused:
            Connection(server.url, Credentials(token="gu3ss"))
    assert "gu3ss" not in f"{refused.value} {Credentials(token='gu3ss')!r}"


def test_several_servers(tmp_path: Path) -> None:
    """A URL may name a cluster's servers with commas between: one that answers is enough."""
    with running(tmp_path / "nats") as server:
        Connection(f"nats://127.0.0.1:9,{server.url}", Credentials()).close()
