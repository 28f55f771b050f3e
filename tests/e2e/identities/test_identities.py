"""A stack whose server lets in who is in the services' file, each for what the file says, and nobody else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import LoginRefused, Refused
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.services.model import inbox_prefix
from tests.e2e.conftest import ROOT, Project
from tests.support.ports import free_port

SERVICES = "infra/services.yaml"


@pytest.fixture
def guarded(project: Project) -> Project:
    """A stack with the committed services."""
    project.configure(**settings(project), services=SERVICES)
    return project


def settings(project: Project) -> dict[str, Any]:
    """A server process on free ports."""
    ports = {"clientPort": free_port(), "monitorPort": free_port()}
    return {"server": "process", "onDelete": "delete", "storeDir": str(project.folder / "nats"), **ports}


def outputs(project: Project) -> dict[str, Any]:
    """The stack's outputs, secrets in clear."""
    answer: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json", "--show-secrets").text)
    return answer


def login(project: Project, identity: str) -> Credentials:
    """How one of them logs in."""
    return Credentials(nkey=outputs(project)["credentials"][identity], inbox_prefix=inbox_prefix(identity))


def client(project: Project, identity: str) -> JetStream:
    """One of them, logged in."""
    return JetStream(outputs(project)["url"], login(project, identity))


def test_the_life_of_a_guarded_stack(guarded: Project) -> None:
    """up, no-op, drift seen and healed by the provisioner's own login, a server that died, no seed in clear."""
    said = [guarded.preview().text, guarded.up().text]
    assert guarded.unchanged()
    _hands_out_a_key(guarded)
    with pytest.raises(LoginRefused):
        JetStream(outputs(guarded)["url"], Credentials())
    with closing(client(guarded, "market-data-ingestion")) as ingestion:
        answer = json.loads(ingestion.connection.request("market.data.news", b"{}"))
        assert answer["stream"] == "MARKET_DATA"
        with pytest.raises(Refused, match=r"this user may not publish to routing\.event"):
            ingestion.connection.request("routing.event", b"{}")

    with closing(client(guarded, "provisioner")) as provisioner:
        provisioner.delete("ROUTING")
    assert "missing" in guarded.drift()
    guarded.up()
    assert guarded.unchanged()

    (server,) = [r for r in resources(guarded) if r["type"].endswith(":ServerProcess")]
    os.kill(int(server["outputs"]["pid"]), signal.SIGKILL)
    said += [guarded.pulumi("up", "--yes", STREAMS_LOG="debug").text, guarded.pulumi("stack", "output").text]
    assert guarded.unchanged()
    _has_no_seed_in_clear(guarded, said)
    guarded.destroy()
    assert not (guarded.folder / "nats").exists()


def test_a_cluster_lets_in_the_same(guarded: Project) -> None:
    """Every node knows the services; a service that is added reaches all of them without a restart."""
    ports = {key: ",".join(str(free_port()) for _ in range(3)) for key in ("clientPort", "monitorPort", "clusterPort")}
    file = guarded.folder / "services.yaml"
    text = (ROOT / SERVICES).read_text().replace("max_file: 20GiB", "max_file: 60GiB")  # of all replicas together
    file.write_text(text)
    guarded.configure(**{**guarded.settings, **ports, "nodes": 3, "replicas": 3, "services": "services.yaml"})
    guarded.up()
    before = pids(guarded)
    file.write_text(f"{text}  auditor: {{consumes: [ROUTING]}}\n")
    guarded.up()
    assert before == pids(guarded)
    for url in outputs(guarded)["url"].split(","):
        with closing(JetStream(url, login(guarded, "auditor"))) as auditor, pytest.raises(Refused):
            auditor.connection.request("routing.event", b"{}")
    assert guarded.unchanged()


def test_another_key_touches_no_other(guarded: Project) -> None:
    """The old seeds are refused, everybody else's are as they were; the provisioner's own can be changed too."""
    guarded.up()
    before, changed = outputs(guarded)["credentials"], {"routing-agent", "provisioner"}
    text = (ROOT / SERVICES).read_text().replace("  routing-agent:\n", "  routing-agent:\n    key: 2\n")
    (guarded.folder / "services.yaml").write_text(f"{text}\nprovisioner: {{key: 2}}\n")
    guarded.configure(**{**guarded.settings, "services": "services.yaml"})
    guarded.up()
    assert guarded.unchanged()
    after = outputs(guarded)["credentials"]
    assert changed == {name for name in before if before[name] != after[name]}
    for name in before:
        with closing(JetStream(outputs(guarded)["url"], Credentials(nkey=after[name]))):
            pass
    for name in changed:
        with pytest.raises(LoginRefused):
            JetStream(outputs(guarded)["url"], Credentials(nkey=before[name]))


def test_a_lost_state_makes_new_keys(guarded: Project) -> None:
    """The server runs on, with keys that nobody has any more: it gets others, and keeps its streams."""
    guarded.up()
    with closing(client(guarded, "routing-agent")) as agent:
        agent.connection.request("routing.event", b"kept")
    url, before = outputs(guarded)["url"], outputs(guarded)["credentials"]
    assert guarded.pulumi("stack", "rm", "--yes", "--force", "--preserve-config", guarded.stack).code == 0
    assert guarded.pulumi("stack", "init", guarded.stack).code == 0
    assert "planned without asking the server" in guarded.preview().text
    guarded.up()
    assert not set(before.values()) & set(outputs(guarded)["credentials"].values())
    with pytest.raises(LoginRefused):
        JetStream(url, Credentials(nkey=before["routing-agent"]))
    with closing(client(guarded, "provisioner")) as provisioner:
        assert {name: info.messages for name, info in provisioner.streams().items()}["ROUTING"] == 1
    assert guarded.unchanged()


def test_a_live_stack_gets_services(project: Project) -> None:
    """Streams of the global account are not in another one: refused, unless the run takes them along."""
    alone = settings(project)
    project.configure(**alone)
    is_open = "everybody who reaches it may do everything; the setting services lets in only who is in its file"
    assert is_open in project.up().text
    assert is_open not in project.preview().text
    with closing(JetStream(outputs(project)["url"], Credentials())) as anybody:
        anybody.connection.request("routing.event", b"kept")
    project.configure(**alone, services=SERVICES)
    refused = project.preview()
    assert refused.code != 0
    assert "ROUTING: moving from folder" in refused.text
    assert "would leave 1 message" in refused.text
    short = project.pulumi("up", "--yes", "--skip-preview", STREAMS_MOVE_DATA="yes")
    assert "insufficient storage resources available (10047); raise maxFileStore" in short.text
    assert "what is moved stays there on the disk as well, where nobody sees it, and keeps what it" in short.text
    assert is_open not in short.text
    project.configure(**project.settings, maxFileStore="60GiB")  # the streams of before keep what they have reserved
    project.up(STREAMS_MOVE_DATA="yes")
    with closing(client(project, "provisioner")) as provisioner:
        assert {name: info.messages for name, info in provisioner.streams().items()}["ROUTING"] == 1
    assert project.unchanged()


def _has_no_seed_in_clear(guarded: Project, said: list[str]) -> None:
    """Not in the state, the server's files, the output of any command, or a process's arguments."""
    seeds = outputs(guarded)["credentials"].values()
    files = [file for file in guarded.folder.parent.rglob("*") if file.is_file() and not file.is_symlink()]
    texts = [*said, *(file.read_text(errors="replace") for file in files), *_command_lines()]
    assert len(seeds) == 8
    assert not [text[:200] for text in texts for seed in seeds if seed in text]


def resources(project: Project, *options: str) -> list[dict[str, Any]]:
    """What the state has."""
    exported = json.loads(project.pulumi("stack", "export", *options).text)
    found: list[dict[str, Any]] = exported["deployment"]["resources"]
    return found


def _hands_out_a_key(guarded: Project) -> None:
    """In a file that nobody else can read; what is wrong is one line."""
    file = guarded.folder / "agent.nk"
    said = streams(guarded, "credentials", "routing-agent", "--to", str(file))
    assert said.stderr == f"{file}: nats --nkey {file} --inbox-prefix _INBOX_routing-agent\n"
    assert file.stat().st_mode & 0o777 == 0o600
    with closing(JetStream(outputs(guarded)["url"], Credentials(nkey=str(file)))):
        pass
    file.unlink()
    assert "no service of this stack; did you mean routing-agent?" in streams(guarded, "credentials", "routing").stderr
    assert (guarded.folder / "nats").stat().st_mode & 0o777 == 0o700


def pids(project: Project) -> list[int]:
    """The processes of the stack's servers."""
    return [int(r["outputs"]["pid"]) for r in resources(project) if r["type"].endswith(":ServerProcess")]


def streams(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, in the shell of the stack."""
    return subprocess.run(
        [sys.executable, "-m", "provisioner", *words],
        cwd=project.folder,
        env=project.environment | {"PULUMI_STACK": project.stack},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _command_lines() -> list[str]:
    return [file.read_text(errors="replace") for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
