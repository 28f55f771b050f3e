"""Every way to log in, on a server that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.errors import LoginRefused, Refused
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.connection import Connection
from provisioner.jetstream.target import Credentials
from tests.support.jwt import operator
from tests.support.nats_server import NatsServer, running
from tests.support.nkey import user_nkey


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


def test_an_nkey_and_its_file(tmp_path: Path) -> None:
    """Both log in; another one is refused, and no seed is in a representation."""
    own, other = user_nkey(), user_nkey()
    file = tmp_path / "ann.nk"
    file.write_text(f"{own.seed}\n")
    with running(tmp_path / "nats", f"authorization {{ users: [{{ nkey: {own.public} }}] }}") as server:
        for given in (own.seed, str(file)):
            Connection(server.url, Credentials(nkey=given)).close()
        with pytest.raises(LoginRefused, match="check user, password, token, credentials or nkey"):
            Connection(server.url, Credentials(nkey=other.seed))
    assert own.seed not in repr(Credentials(nkey=own.seed))


@pytest.mark.parametrize("given", ["SUNOT_A_SEED", "/nowhere/ann.nk", "ann"])
def test_no_seed(given: str) -> None:
    """What is neither a seed nor a file with one is refused without being repeated, and nobody is asked."""
    with pytest.raises(LoginRefused, match=r"^nkey: is neither a user's seed nor a file with one") as refused:
        Connection("nats://127.0.0.1:9", Credentials(nkey=given))
    assert given not in str(refused.value)


@pytest.mark.parametrize("given", ["a b", ">", "a.*", ".", "a..b"])
def test_no_inbox_prefix(given: str) -> None:
    """A prefix has no wildcards, no white space and no empty token."""
    with pytest.raises(LoginRefused, match="is no subject without wildcards"):
        Connection("nats://127.0.0.1:9", Credentials(inbox_prefix=given))


def test_an_inbox_prefix(tmp_path: Path) -> None:
    """Answers come to a user who may only subscribe below it; without it the denial names what is missing."""
    user = '{ user: ann, password: pw, permissions: { subscribe: { allow: ["_INBOX_Ann.>"] } } }'
    login = {"user": "ann", "password": "pw"}
    with running(tmp_path / "nats", f"authorization {{ users: [{user}] }}") as server:
        client = JetStream(server.url, Credentials(**login, inbox_prefix="_INBOX_Ann"))
        assert {} == client.streams()
        client.close()
        for prefix, denied in ((None, r"_INBOX\.>"), ("_INBOX_Bob", r"_INBOX_Bob\.>")):
            client = JetStream(server.url, Credentials(**login, inbox_prefix=prefix))
            with pytest.raises(Refused, match=f"this user may not subscribe to {denied}; give it the permission"):
                client.streams()
            client.close()
