"""What the environment of a program becomes."""

from __future__ import annotations

import json

import pytest

from provisioner.cli import smoke
from provisioner.jetstream.target import target
from provisioner.providers.engine import CREDENTIAL_KEYS, credentials
from provisioner.services.handing_out import handed_out
from provisioner.services.model import MONITORING, PROVISIONER, LoginKind, inbox_prefix
from tools.environment import (
    IDENTITIES,
    LOGIN_VARIABLES,
    apply,
    exports,
    passphrase,
    search_path,
    smoke_target,
    status_target,
)
from tools.stack_choice import COMMITTED_SALT
from tools.subprocesses import ToolError

OURS = f"encryptionsalt: {COMMITTED_SALT}rest\n"


@pytest.mark.parametrize(
    ("stack", "settings", "inherited", "expected"),
    [
        ("dev", OURS, None, ""),
        ("local", OURS, "secret", ""),
        ("dev", "encryptionsalt: v1:other=:v1:x\n", "secret", "secret"),
        ("dev", "secretsprovider: awskms://x\n", None, None),
        ("prod", OURS, "secret", "secret"),
        ("prod", "", "", None),
        ("prod", "", None, None),
    ],
)
def test_only_the_committed_stacks_open_with_an_empty_passphrase(
    stack: str, settings: str, inherited: str | None, expected: str | None
) -> None:
    """A stack of the user's own, or one with a salt of their own, keeps its own passphrase."""
    assert expected == passphrase(stack, settings, inherited)


def test_changes_are_made_and_taken_back() -> None:
    """A value is set, None takes the variable away, the rest stays."""
    assert apply({"A": "1", "B": None}, {"B": "2", "C": "3"}) == {"A": "1", "C": "3"}


def test_exports_are_safe_for_a_shell() -> None:
    """Values are quoted; only what is there is unset."""
    lines = exports({"A": "it's", "B": None, "C": None, "D": ""}, {"B": "old"})

    assert lines == ["export A='it'\"'\"'s'", "unset B", "export D=''"]


def test_the_search_path_does_not_grow() -> None:
    """Putting the same folders first twice gives the same PATH as once."""
    once = search_path(["/venv/bin", "/pulumi/bin"], "/usr/bin:/bin")

    assert once == "/venv/bin:/pulumi/bin:/usr/bin:/bin"
    assert once == search_path(["/venv/bin", "/pulumi/bin"], once)


def test_the_login_variables_are_those_of_the_command_line() -> None:
    """tools/ cannot import the names, as it runs before any package is installed; they are the same nevertheless."""
    raw = {LOGIN_VARIABLES[setting]: setting for setting in CREDENTIAL_KEYS}
    assert credentials(str) == target(None, None, raw).credentials

    others = LOGIN_VARIABLES.keys() - CREDENTIAL_KEYS.keys()
    found = {setting: target("nats://a", None, {LOGIN_VARIABLES[setting]: "b"}).url for setting in others}
    assert found == {"domain": "nats://a#$JS.b.API", "apiPrefix": "nats://a#b"}


def test_a_status_asks_the_server_of_the_stack() -> None:
    """The login goes into variables, never onto the command line; the catalogue is the stack's."""
    outputs = {"url": "nats://a:1", "monitor_url": ""}
    settings = {"token": "s3cret", "catalogue": "mine.yaml", "server": "external"}

    options, variables = status_target(outputs, settings)

    assert options == ["--catalogue", "mine.yaml"]
    assert variables == {"NATS_URL": "nats://a:1", "NATS_MONITOR_URL": "", "NATS_TOKEN": "s3cret"}


def test_status_of_a_stack_whose_own_server_speaks_tls() -> None:
    """The CA is in its outputs; the server's own certificate and key are not shown by a client."""
    outputs = {"url": "tls://a:1", "monitor_url": "https://a:2", "ca": "-----BEGIN CERTIFICATE-----"}
    _options, variables = status_target(outputs, {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"})
    assert variables["NATS_CA"] == outputs["ca"]
    assert not {"NATS_CERT", "NATS_KEY"} & variables.keys()


def test_a_stack_without_a_server_has_no_status() -> None:
    """The error says how to get one."""
    with pytest.raises(ToolError, match="no server yet: make up"):
        status_target({}, {})


@pytest.mark.parametrize(
    ("login", "secret", "variables"),
    [
        (LoginKind.CREDS, "-----BEGIN NATS USER JWT-----\na", {"NATS_CREDS": "-----BEGIN NATS USER JWT-----\na"}),
        (LoginKind.PASSWORD, "a=b", {"NATS_USER": MONITORING, "NATS_PASSWORD": "a=b"}),
    ],
)
def test_monitoring_logs_in_in_every_way(login: LoginKind, secret: str, variables: dict[str, str]) -> None:
    """What it is handed becomes the variables that `streams` reads."""
    outputs = {"url": "nats://a", "credentials": {MONITORING: handed_out(MONITORING, login, secret)}}
    _options, found = status_target(outputs, {})
    assert {
        "NATS_URL": "nats://a",
        "NATS_MONITOR_URL": "",
        "NATS_INBOX_PREFIX": "_INBOX_monitoring",
        **variables,
    } == found


def test_a_stack_with_services_is_looked_at_by_monitoring() -> None:
    """The names are those of the services' model, which is not installed when tools/ begins to run."""
    outputs = {"url": "nats://a", "credentials": {MONITORING: "SU1", PROVISIONER: "SU2"}}
    _options, variables = status_target(outputs, {})
    assert variables["NATS_NKEY"] == "SU1"
    assert variables["NATS_INBOX_PREFIX"] == inbox_prefix(MONITORING)


def test_the_smoke_test_is_every_identity() -> None:
    """It gets what each is handed in one variable, and the services' file that the stack names."""
    outputs = {"url": "nats://a", "credentials": {"s": "SU1", PROVISIONER: "SU2"}}
    options, variables = smoke_target(outputs, {"services": "mine.yaml", "catalogue": "c.yaml"})
    assert ["--catalogue", "c.yaml", "--services", "mine.yaml"] == options
    assert outputs["credentials"] == json.loads(variables[smoke.IDENTITIES])
    assert smoke.IDENTITIES == IDENTITIES
    assert IDENTITIES not in smoke_target({"url": "nats://a"}, {})[1]
