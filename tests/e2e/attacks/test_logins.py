"""A login that was changed on the server and in the settings: one up takes it, and no secret is written in clear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.jwt import operator
from tests.support.nats_server import NatsServer, running

PASSWORDS = ("Fir5t-Secret", "Sec0nd-Secret", "Th1rd-Secret", "T0ken-Secret")
FIRST, SECOND, THIRD, TOKEN = PASSWORDS


def _accepting(user: str, password: str) -> str:
    return f'authorization {{ user: "{user}", password: "{password}" }}'


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[NatsServer]:
    """A server that asks for a user and a password."""
    with running(tmp_path / "nats", _accepting("app", FIRST)) as server:
        yield server


@pytest.fixture
def stack(project: Project, guarded: NatsServer) -> Project:
    """A stack on it that is up, with two streams."""
    project.catalogue(KEPT={"subjects": ["kept"]}, GONE={"subjects": ["gone"]})
    _log_in(project, guarded, user="app", password=FIRST)
    project.up()
    return project


def _log_in(project: Project, server: NatsServer, **login: str) -> None:
    """Write the settings with another login, as a user does."""
    project.configure(
        server="external", url=server.url, onDelete="delete", catalogue="streams.yaml", user=login.pop("user", None)
    )
    for key, secret in login.items():
        assert 0 == project.pulumi("config", "set-all", "--secret", f"{key}={secret}").code


def _rotate(server: NatsServer, config: str) -> None:
    """Let the server accept another login, and no other."""
    server.kill()
    server.extra = config
    server.start()


def test_another_server_with_another_login_and_a_removal(stack: Project, guarded: NatsServer, tmp_path: Path) -> None:
    """The old server refuses the new login, so nothing can be deleted there: refused before anything, with the ways."""
    with closing(JetStream(guarded.url, Credentials(user="app", password=FIRST))) as client:
        client.connection.request("gone", b"payload")
    with running(tmp_path / "second", _accepting("other", SECOND)) as second:
        _log_in(stack, second, user="other", password=SECOND)
        stack.catalogue(KEPT={"subjects": ["kept"]})
        for command in (("preview",), ("up", "--yes", "--skip-preview")):
            result = stack.pulumi(*command, STREAMS_ALLOW_LOSS="KEPT,GONE")
            assert result.code != 0, result.text
            assert "GONE: " in result.text
            assert "cannot be deleted there. Take it out of the catalogue in a run of its own" in result.text
        assert {} == _messages(second, Credentials(user="other", password=SECOND))

        stack.catalogue(KEPT={"subjects": ["kept"]}, GONE={"subjects": ["gone"]})
        stack.up(STREAMS_ALLOW_LOSS="KEPT,GONE")
        stack.catalogue(KEPT={"subjects": ["kept"]})
        stack.up()
        assert {"KEPT": 0} == _messages(second, Credentials(user="other", password=SECOND))
        assert {"KEPT": 0, "GONE": 1} == _messages(guarded, Credentials(user="app", password=FIRST))
        assert stack.unchanged()
        stack.destroy()


def _messages(server: NatsServer, credentials: Credentials) -> dict[str, int]:
    with closing(JetStream(server.url, credentials)) as client:
        return {name: info.messages for name, info in client.streams().items()}


def test_a_rotated_login(stack: Project, guarded: NatsServer) -> None:
    """Another password, another user, a token, a .creds: preview and up work each time, a deletion included."""
    with closing(JetStream(guarded.url, Credentials("app", FIRST))) as client:
        client.connection.request("gone", b"payload")
    _rotate(guarded, _accepting("app", SECOND))
    _log_in(stack, guarded, user="app", password=SECOND)
    assert stack.unchanged()
    stack.catalogue(KEPT={"subjects": ["kept"], "max_msgs": 9})
    refused = stack.preview()
    assert "GONE: leaving the catalogue would delete 1 message" in refused.text, refused.text
    stack.up(STREAMS_ALLOW_LOSS="GONE")
    assert {"KEPT": 0} == _messages(guarded, Credentials("app", SECOND))

    _rotate(guarded, _accepting("other", THIRD))
    _log_in(stack, guarded, user="other", password=THIRD)
    stack.up()
    _rotate(guarded, f'authorization {{ token: "{TOKEN}" }}')
    _log_in(stack, guarded, token=TOKEN)
    stack.up()

    trusted = operator()  # the streams of its account are others
    _rotate(guarded, trusted.config)
    _log_in(stack, guarded, credentials=trusted.creds)
    stack.up()
    assert {"KEPT": 0} == _messages(guarded, Credentials(credentials=trusted.creds))
    assert [] == _in_clear(stack, *PASSWORDS, trusted.creds.splitlines()[1], trusted.creds.splitlines()[5])


def test_a_destroy_after_a_rotation(stack: Project, guarded: NatsServer) -> None:
    """No program runs in it: the login is that of the settings, for a server that the settings name."""
    _rotate(guarded, _accepting("app", SECOND))
    refused = stack.pulumi("destroy", "--yes", "--skip-preview")
    assert refused.code != 0
    assert "Authorization Violation; check user, password, token, credentials or nkey" in refused.text
    assert "Traceback" not in refused.text
    _log_in(stack, guarded, user="app", password=SECOND)
    stack.destroy()
    assert {} == _messages(guarded, Credentials("app", SECOND))


def test_a_login_that_nobody_accepts(stack: Project, guarded: NatsServer) -> None:
    """Preview and up say so in one line."""
    _log_in(stack, guarded, user="app", password=SECOND)
    _rotate(guarded, _accepting("app", THIRD))
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        refused = stack.pulumi(*command)
        assert refused.code != 0
        assert "Authorization Violation; check user, password, token, credentials or nkey" in refused.text
        assert "Traceback" not in refused.text


def _in_clear(stack: Project, *secrets: str) -> list[str]:
    """The files of the project and its state, old ones included, that have one of the secrets in clear."""
    folders = (stack.folder, Path(stack.environment["PULUMI_BACKEND_URL"].removeprefix("file://")))
    files = [*folders[0].glob("Pulumi*.yaml"), *folders[1].rglob("*")]
    assert len(files) > len(secrets)
    return [
        str(file)
        for file in files
        if file.is_file() and any(secret.encode() in file.read_bytes() for secret in secrets)
    ]
