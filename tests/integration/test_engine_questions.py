"""What a provider asks the engine about its stack; a program of the test's own stands for pulumi."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from provisioner.jetstream.target import Credentials
from provisioner.providers.engine import StreamState, in_state, login_now
from provisioner.reconcile.run_state import Data
from provisioner.schema.model import OnDelete

URL = "nats://a:4222,nats://b:4222"


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the answer to each question and a note of what was asked. Each test has a stack of its own."""
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexec cat {tmp_path}/$1\n')
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    return tmp_path


def _configure(folder: Path, **settings: str) -> None:
    config = {f"project:{key}": {"value": value, "secret": key == "password"} for key, value in settings.items()}
    (folder / "config").write_text(json.dumps(config | {"other:user": {"value": "nobody"}}))


def test_the_login_of_the_settings(answers: Path) -> None:
    """It is that of the stack, asked for once."""
    _configure(answers, url="nats://a:4222, nats://b:4222", user="app", password="secret")
    for _ in range(2):
        assert Credentials("app", "secret") == login_now("project/first", URL)
    assert "config --json --show-secrets --non-interactive --stack first\n" == (answers / "asked").read_text()


def test_a_login_for_another_server(answers: Path) -> None:
    """It is not given to this one."""
    _configure(answers, url="nats://c:4222", user="app", password="secret")
    assert login_now("project/second", URL) is None


@pytest.mark.parametrize("answer", [None, "error: incorrect passphrase"])
def test_settings_that_cannot_be_read(answers: Path, answer: str | None) -> None:
    """There is no other login then, as for a stream that names no stack."""
    if answer:
        (answers / "config").write_text(answer)
    assert login_now(f"project/third-{bool(answer)}", URL) is None
    assert login_now(None, URL) is None


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        (None, {"nkey": "s"}),
        ("password", {"user": "provisioner", "password": "s"}),
        ("creds", {"credentials": "s"}),
    ],
)
def test_the_provisioners_own_login(answers: Path, login: str | None, expected: dict[str, str]) -> None:
    """It is in the state of a stack that has its own server, whichever way it logs in."""
    owner = f"project/own-{login}"
    _configure(answers, server="process")
    kind = "pulumi-python:dynamic/jetstream:Identity"
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"s"'}
    resources = [
        {"type": kind, "outputs": {"identity": "monitoring", "seed": secret}},
        {"type": kind, "outputs": {"identity": "provisioner", "seed": secret, **({"login": login} if login else {})}},
    ]
    (answers / "stack").write_text(json.dumps({"deployment": {"resources": resources}}))
    assert Credentials(**expected, inbox_prefix="_INBOX_provisioner") == login_now(owner, URL)


def test_the_streams_of_the_state(answers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, policies and moments of creation, of the stack that the shell has selected."""
    monkeypatch.setenv("PULUMI_STACK", "company/project/prod")
    outputs = {"name": "ORDERS", "on_delete": "guard", "created": "2026-11-25T20:00:00Z", "url": "nats://h"}
    stored = {"history": 3, "on_delete": "guard", "created": outputs["created"], "url": outputs["url"]}
    resources = [
        {"type": "pulumi:pulumi:Stack", "outputs": {"streams": {}}},
        {"type": "pulumi-python:dynamic/jetstream:Stream", "outputs": outputs},
        {"type": "pulumi-python:dynamic/jetstream:KeyValue", "outputs": {**stored, "bucket": "A"}},
        {"type": "pulumi-python:dynamic/jetstream:ObjectStore", "outputs": {**stored, "bucket": "B"}},
    ]
    (answers / "stack").write_text(json.dumps({"deployment": {"resources": resources}}))
    data = Data("nats://h", None, "nats://h")
    assert [
        StreamState(name, OnDelete.GUARD, "2026-11-25T20:00:00Z", data) for name in ("ORDERS", "KV_A", "OBJ_B")
    ] == in_state("project/prod")[0]
    assert "stack export --non-interactive --stack company/project/prod\n" == (answers / "asked").read_text()
