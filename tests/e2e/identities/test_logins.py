"""The other ways to log in to a stack's own server: passwords, beside nkeys, and an operator's .creds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from provisioner.errors import LoginRefused, Refused
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials, target
from provisioner.services.model import inbox_prefix
from tests.e2e.conftest import ROOT, Project
from tests.e2e.identities.test_identities import outputs, pids, settings, streams

SERVICES = (ROOT / "infra/services.yaml").read_text()
PASSWORDS = SERVICES.replace("  routing-agent:\n", "  routing-agent:\n    login: password\n")


def write(project: Project, text: str) -> None:
    """Change the services' file of a stack that has one of its own."""
    (project.folder / "services.yaml").write_text(text)


@pytest.fixture
def guarded(project: Project) -> Project:
    """A stack with a services' file of its own."""
    project.configure(**settings(project), services="services.yaml")
    write(project, SERVICES)
    return project


def handed_out(project: Project, identity: str) -> Credentials:
    """What `streams credentials` writes, used as a client uses it."""
    file = project.folder / f"{identity}.secret"
    said = streams(project, "credentials", identity, "--to", str(file))
    assert said.returncode == 0, said.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    if "--creds" in said.stderr or "--nkey" in said.stderr:
        key = "credentials" if "--creds" in said.stderr else "nkey"
        return Credentials(**{key: str(file)}, inbox_prefix=inbox_prefix(identity))
    assert f"set -a; . {file}; nats " in said.stderr
    shell = subprocess.run(
        ["bash", "-c", f"set -a; . {file}; env -0"], capture_output=True, text=True, check=True, timeout=20
    )
    environment = dict(entry.split("=", 1) for entry in shell.stdout.rstrip("\0").split("\0"))
    assert all(value in text for name, value in environment.items() if name.startswith("NATS_"))
    return target(None, None, {name: environment[name] for name in environment if name.startswith("NATS_")}).credentials


@contextmanager
def logged_in(project: Project, credentials: Credentials) -> Iterator[JetStream]:
    """A client of the stack's server."""
    with closing(JetStream(outputs(project)["url"], credentials)) as client:
        yield client


def refused(project: Project, credentials: Credentials) -> bool:
    """Whether the server does not let somebody in."""
    try:
        with logged_in(project, credentials):
            return False
    except LoginRefused:
        return True


def publishes(client: JetStream, subject: str) -> str:
    """The stream that has taken a message in."""
    return str(json.loads(client.connection.request(subject, b"{}"))["stream"])


def test_passwords_beside_nkeys(guarded: Project) -> None:
    """One file, both ways; the server knows a hash; another password touches nobody else, nor does another way."""
    write(guarded, PASSWORDS)
    guarded.up()
    assert guarded.unchanged()
    agent, ingestion = handed_out(guarded, "routing-agent"), handed_out(guarded, "market-data-ingestion")
    assert agent.password
    assert ingestion.nkey
    config = (guarded.folder / "nats/nats.conf").read_text()
    assert 'user: "routing-agent"' in config
    assert agent.password not in config
    server = pids(guarded)
    with logged_in(guarded, ingestion) as stays, logged_in(guarded, agent) as client:
        assert publishes(client, "routing.event") == "ROUTING"
        with pytest.raises(Refused, match=r"may not publish to market\.data\.news"):
            client.connection.request("market.data.news", b"{}")
        before = stays.connection._client._server_info["client_id"]  # noqa: SLF001 - tells one connection from the next
        write(guarded, PASSWORDS.replace("login: password", "login: password\n    key: 2"))
        guarded.up()
        assert publishes(stays, "market.data.news") == "MARKET_DATA"
        assert before == stays.connection._client._server_info["client_id"]  # noqa: SLF001
    assert refused(guarded, agent)
    assert not refused(guarded, handed_out(guarded, "routing-agent"))

    write(guarded, f"login: password\n{SERVICES}")
    guarded.up()
    assert guarded.unchanged()
    assert refused(guarded, ingestion)
    assert server == pids(guarded)
    assert handed_out(guarded, "monitoring").password
    assert handed_out(guarded, "provisioner").password


def test_the_life_of_an_operators_stack(guarded: Project) -> None:
    """up, no-op, a permission and a key that change, drift; after a lost state the same streams are there."""
    write(guarded, f"login: creds\n{SERVICES}")
    guarded.up()
    assert guarded.unchanged()
    agent, ingestion = handed_out(guarded, "routing-agent"), handed_out(guarded, "market-data-ingestion")
    server = pids(guarded)
    with ExitStack() as stack:
        stays = stack.enter_context(logged_in(guarded, ingestion))
        assert publishes(stays, "market.data.news") == "MARKET_DATA"
        before = stays.connection._client._server_info["client_id"]  # noqa: SLF001
        changed = SERVICES.replace("publishes: [routing.*]", "publishes: [routing.*, metrics.model.normal]")
        write(guarded, f"login: creds\n{changed}")
        guarded.up()
        with logged_in(guarded, agent) as same_creds:
            assert publishes(same_creds, "metrics.model.normal") == "MODEL_METRICS"
            assert publishes(same_creds, "routing.event") == "ROUTING"
        write(guarded, f"login: creds\n{SERVICES}".replace("  routing-agent:\n", "  routing-agent:\n    key: 2\n"))
        guarded.up()
        assert refused(guarded, agent)
        assert publishes(stays, "market.data.news") == "MARKET_DATA"
        assert before == stays.connection._client._server_info["client_id"]  # noqa: SLF001
    assert server == pids(guarded)
    with logged_in(guarded, handed_out(guarded, "provisioner")) as provisioner:
        provisioner.delete("PREDICTIONS")
    assert "missing" in guarded.drift()
    guarded.up()
    assert guarded.unchanged()

    assert guarded.pulumi("stack", "rm", "--yes", "--force", "--preserve-config", guarded.stack).code == 0
    assert guarded.pulumi("stack", "init", guarded.stack).code == 0
    guarded.up()
    assert guarded.unchanged()
    assert refused(guarded, ingestion)
    with logged_in(guarded, handed_out(guarded, "monitoring")) as monitoring:
        assert {name: info.messages for name, info in monitoring.streams().items()}["ROUTING"] == 1
    guarded.destroy()


def test_a_live_stack_gets_an_operator(guarded: Project) -> None:
    """The streams of the account are another account's: refused, unless the run takes them along."""
    guarded.configure(**guarded.settings, maxFileStore="60GiB")
    guarded.up()
    with logged_in(guarded, handed_out(guarded, "routing-agent")) as agent:
        publishes(agent, "routing.event")
    write(guarded, f"login: creds\n{SERVICES}")
    plan = guarded.preview()
    assert plan.code != 0
    assert "would leave 1 message" in plan.text
    guarded.up(STREAMS_MOVE_DATA="yes")
    assert guarded.unchanged()
    with logged_in(guarded, handed_out(guarded, "provisioner")) as provisioner:
        assert provisioner.streams()["ROUTING"].messages == 1
