"""No secret in clear: every one of a stack, looked for in everything that the stack, its runs and its servers leave."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.local_server.supervisor import KEY_VARIABLE
from tests.e2e.conftest import ROOT, Project
from tests.e2e.identities.test_identities import outputs, pids, resources, settings, streams
from tests.e2e.identities.test_logins import handed_out
from tests.support.nats_server import running

SERVICES = (ROOT / "infra/services.yaml").read_text()
MIXED = SERVICES.replace("  routing-agent:\n", "  routing-agent:\n    login: password\n")
GIVEN_KEY = "a-key-that-the-user-gives-0123456789"
PASSWORD = "pa55word-of-the-external-server"
# What Pulumi itself shows at these levels is not ours to hide; the secrets of a stack are not among it.
VERBOSE = ("-v=9", "--logtostderr", "--logflow")
BREAKS = "from infra.program import deploy\n\ndeploy()\nraise RuntimeError('a defect')\n"


@pytest.mark.parametrize("way", ["nkeys and passwords", "creds"])
def test_a_server_of_the_stacks_own(project: Project, way: str) -> None:
    """Runs that succeed, that are refused and that break, with every log; the state, the files, the processes."""
    text = MIXED if way == "nkeys and passwords" else f"login: creds\n{SERVICES}"
    (project.folder / "services.yaml").write_text(text)
    project.configure(**settings(project), services="services.yaml", encryption="chachapoly")
    if way == "nkeys and passwords":
        give(project, "encryptionKey", GIVEN_KEY)
    said = [*runs(project)]
    with closing(JetStream(outputs(project)["url"], handed_out(project, "routing-agent"))) as agent:
        agent.connection.request("routing.event", b"{}")
    said.append(streams(project, "credentials", "routing", "--to", "nowhere").stderr)
    said += [project.pulumi("stack", "output").text, project.pulumi("config").text]
    for file in project.folder.glob("*.secret"):
        file.unlink()

    secrets = {*of_identities(project), *((GIVEN_KEY,) if way == "nkeys and passwords" else ())}
    assert len(secrets) == (9 if way == "nkeys and passwords" else 10)
    require_hidden(project, secrets, said)
    _is_the_servers_own_business(project)


def test_somebody_elses_server(project: Project) -> None:
    """A password in the settings."""
    login = f'authorization {{ users = [{{user: ann, password: "{PASSWORD}"}}] }}'
    with running(project.folder.parent.parent / f"{project.folder.parent.name}-nats", login) as server:
        project.configure(server="external", url=server.url, onDelete="delete", user="ann")
        give(project, "password", PASSWORD)
        said = [*runs(project)]
        give(project, "password", f"{PASSWORD}-wrong")
        said.append(project.pulumi("preview", STREAMS_LOG="debug").text)
        require_hidden(project, {PASSWORD}, said)


def give(project: Project, key: str, secret: str) -> None:
    """As a user does it."""
    assert project.pulumi("config", "set", "--secret", f"prediction-streams:{key}", secret).code == 0


def runs(project: Project) -> Iterator[str]:
    """What is printed by an up with every log on, a plan without, one that is refused and one that meets a defect."""
    made = project.pulumi("up", "--yes", "--skip-preview", *VERBOSE, STREAMS_LOG="debug")
    assert made.code == 0, made.text[-3000:]
    assert "provider.go" in made.text or ".go:" in made.text
    yield made.text
    yield project.preview().text
    file = project.folder / f"Pulumi.{project.stack}.yaml"
    text = file.read_text()
    file.write_text(text.replace("onDelete: delete", "onDelete: never"))
    refused = project.preview().text
    assert "'never' is none of guard, delete, retain" in refused
    yield refused
    file.write_text(text)
    program = project.folder / "__main__.py"
    program.unlink()
    program.write_text(BREAKS)
    broken = project.pulumi("preview", "--diff", STREAMS_LOG="debug").text
    assert "RuntimeError: a defect" in broken
    yield broken
    program.write_text((ROOT / "__main__.py").read_text())


def of_identities(project: Project) -> Iterator[str]:
    """Each secret that the state has: seeds, passwords, what is in .creds, keys of data."""
    for resource in resources(project, "--show-secrets"):
        for name in ("seed", "key"):
            value: Any = resource["outputs"].get(name) if "outputs" in resource else None
            if isinstance(value, dict):
                secret = json.loads(value["plaintext"])
                seeds = re.findall(r"S[UO][A-Z2-7]{56}", secret)
                yield from seeds or [secret]


def require_hidden(project: Project, secrets: set[str], said: list[str]) -> None:
    """In clear and in base64, at each of its three positions."""
    needles = [needle for secret in secrets for needle in spellings(secret)]
    assert [] == [(where, needle[:6]) for where, text in places(project, said) for needle in needles if needle in text]


def spellings(secret: str) -> Iterator[str]:
    """The text itself, and what base64 makes of its inside, wherever it begins."""
    yield secret
    for skipped in range(3):
        inside = secret[skipped:]
        yield base64.b64encode(inside[: len(inside) // 3 * 3].encode()).decode()


def places(project: Project, said: list[str]) -> Iterator[tuple[str, str]]:
    """Everything that could have one, and what it is called."""
    yield from ((f"output {number}", text) for number, text in enumerate(said))
    for file in project.folder.parent.rglob("*"):
        if file.is_file() and not file.is_symlink():
            yield str(file), file.read_text(errors="replace")
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        yield str(file), _read(file)


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def _is_the_servers_own_business(project: Project) -> None:
    """Its folder is closed to others, and its environment, which only its owner reads, has the key and nothing else."""
    folder = project.folder / "nats"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not [file for file in folder.iterdir() if file.is_file() and file.stat().st_mode & 0o077]
    (pid,) = pids(project)
    environment = Path(f"/proc/{pid}/environ")
    assert environment.stat().st_mode & 0o077 == 0
    names = {entry.split("=", 1)[0] for entry in environment.read_text().split("\0") if entry}
    assert KEY_VARIABLE in names
    assert not [name for name in names if name.startswith(("PULUMI", "NATS", "STREAMS")) and name != KEY_VARIABLE]
