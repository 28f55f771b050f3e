"""Every way to log in, on a server that asks for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import LoginRefused, Refused
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.connection import Connection
from provisioner.jetstream.target import Credentials
from tests.support.jwt import operator
from tests.support.nats_server import NatsServer, running
from tests.support.nkey import user_nkey
from tests.support.waiting import until


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


@pytest.mark.parametrize("cut", [slice(0, 200), slice(60, None), slice(0, 0)])
def test_a_damaged_creds(managed: tuple[NatsServer, str], tmp_path: Path, cut: slice) -> None:
    """A text or a file that is none is refused in one line, and nothing of it is repeated."""
    _server, creds = managed
    file = tmp_path / "user.creds"
    file.write_text(creds[cut])
    for given in (str(file), f"-----BEGIN{creds[cut]}"):
        with pytest.raises(LoginRefused, match=r"^credentials: is no \.creds, which has a user's JWT and seed"):
            Connection("nats://127.0.0.1:9", Credentials(credentials=given))


def test_a_secret_in_the_place_of_a_path(managed: tuple[NatsServer, str]) -> None:
    """The JWT or the seed alone is not a path: it is refused and not repeated."""
    _server, creds = managed
    for line in creds.splitlines()[1::4]:
        with pytest.raises(LoginRefused, match=r"there is no file of that name; give a \.creds file's path") as refused:
            Connection("nats://127.0.0.1:9", Credentials(credentials=line))
        assert line not in str(refused.value)


def test_a_user_whose_time_is_over(tmp_path: Path) -> None:
    """The server ends the connection of a JWT that expires, and the next request says so at once."""
    made = operator(lives_s=2)
    with (
        running(tmp_path / "nats", made.config) as server,
        closing(JetStream(server.url, Credentials(credentials=made.creds))) as client,
    ):
        assert 0 == client.account()["streams"]
        refused = until("the JWT has expired", lambda: _refusal(client))
        assert refused.endswith("user authentication expired; check user, password, token, credentials or nkey")


def test_a_user_who_is_taken_back(tmp_path: Path) -> None:
    """The next request says so at once; once the user is there again, so is the connection."""
    ann, bob = user_nkey(), user_nkey()
    config = "authorization {{ users: [{{ nkey: {0} }}] }}"
    with (
        running(tmp_path / "nats", config.format(ann.public)) as server,
        closing(JetStream(server.url, Credentials(nkey=ann.seed))) as client,
    ):
        assert 0 == client.account()["streams"]
        reload(server, config.format(bob.public))
        refused = until("the user is refused", lambda: _refusal(client))
        assert refused.endswith("Authorization Violation; check user, password, token, credentials or nkey")
        reload(server, config.format(ann.public))
        until("the user is there again", lambda: not _refusal(client))


def _refusal(client: JetStream) -> str:
    try:
        client.account()
    except LoginRefused as error:
        return str(error)
    return ""


def reload(server: NatsServer, config: str) -> None:
    """Let the running server take another configuration."""
    file = server.folder / "nats.conf"
    file.write_text(file.read_text().replace(server.extra, config))
    server.extra = config
    assert server.process
    server.process.send_signal(signal.SIGHUP)


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
