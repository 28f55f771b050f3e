"""TLS of a stack's own servers: turned on and off, certificates that change, with publishers at work."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import LoginRefused
from provisioner.jetstream.certificates import Certificate, shown
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.services.model import inbox_prefix
from tests.e2e.conftest import Project
from tests.support.certificates import Authority, authority
from tests.support.faults.publisher import Publisher, publishing
from tests.support.messages import SUBJECTS
from tests.support.ports import free_port
from tests.support.status import Address, found, told

NODES = 3
MOST_GAP_S = 15.0
SERVICES = "infra/services.yaml"


def ports(nodes: int = 1) -> dict[str, Any]:
    """Free ports, of one server or several."""
    keys = ("clientPort", "monitorPort") if nodes == 1 else ("clientPort", "monitorPort", "clusterPort")
    return {key: ",".join(str(free_port()) for _ in range(nodes)) for key in keys}


def own(project: Project, nodes: int = 1) -> dict[str, Any]:
    """A server process, or as many as ``nodes`` says."""
    place = {"server": "process", "onDelete": "delete", "storeDir": str(project.folder / "nats")}
    return place | ports(nodes) | ({"nodes": nodes, "replicas": nodes} if nodes > 1 else {})


def outputs(project: Project) -> dict[str, Any]:
    """The stack's outputs, secrets in clear."""
    answer: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json", "--show-secrets").text)
    return answer


def resources(project: Project, kind: str) -> dict[str, dict[str, Any]]:
    """The outputs of a kind of resource, by name, as the state has them."""
    exported = json.loads(project.pulumi("stack", "export").text)["deployment"]["resources"]
    return {r["urn"].rpartition("::")[2]: r["outputs"] for r in exported if r["type"].endswith(f":{kind}")}


def pids(project: Project) -> dict[str, int]:
    """Each server's process."""
    return {name: int(server["pid"]) for name, server in resources(project, "ServerProcess").items()}


def trusting(ca: str) -> Credentials:
    """A client that knows the CA and has no login."""
    return Credentials(trusted=ca)


def certificates(project: Project, ca: str) -> list[Certificate]:
    """What all ports show to somebody who trusts the CA, and none refuses."""
    urls = [*outputs(project)["url"].split(","), *outputs(project)["monitor_url"].split(",")]
    there = shown(urls, trusting(ca))
    assert [each.url for each in there if each.ends] == urls, there
    return there


def test_the_life_of_a_stack_with_an_authority(project: Project) -> None:
    """up, no-op, status, other certificates under load, drift of a file, no key in clear, destroyed without a trace."""
    project.configure(**own(project), tls="authority")
    said = [project.preview().text, project.up().text]
    assert project.unchanged()
    first, process, before = outputs(project), pids(project), resources(project, "Authority")["authority"]
    assert (first["url"][:6], first["monitor_url"][:8]) == ("tls://", "https://")
    with pytest.raises(LoginRefused, match="the CA of the server's certificate is not trusted"):
        JetStream(first["url"], Credentials())
    _status_tells_when_it_ends(first)
    with publishing(first["url"], SUBJECTS, tls=ssl.create_default_context(cadata=first["ca"])) as publisher:
        said += _another_certificate(project, publisher, certificate=2)
        said += _another_certificate(project, publisher, authority=2)
        assert publisher.disconnections == 0
    after = resources(project, "Authority")["authority"]
    assert before["authority_cert"] not in after["authority_cert"]
    for ca in (first["ca"], after["authority_cert"]):
        assert certificates(project, ca)
    assert pids(project) == process
    with closing(JetStream(first["url"], trusting(first["ca"]))) as client:
        assert publisher.lost(client) == {}
    _a_lost_file_is_written_again(project)
    _has_no_key_in_clear(project, said)
    project.destroy()
    assert not (project.folder / "nats").exists()


def _status_tells_when_it_ends(first: dict[str, Any]) -> None:
    """To whom trusts the CA; who does not is told that."""
    address = Address(first["url"], first["monitor_url"])
    report = told(address, NATS_CA=first["ca"])
    assert report["exit_code"] == 0
    assert found(report, "OK")["certificate"].endswith(("in 364 days", "in 365 days"))
    assert [each["url"] for each in report["certificates"]] == [first["url"], first["monitor_url"]]
    assert "is not trusted" in found(told(address), "UNKNOWN")["certificate"]


def _another_certificate(project: Project, publisher: Publisher, **number: int) -> list[str]:
    """The plan has it, one up brings it, the server shows it, and nobody is disconnected."""
    publisher.wait_for_more()
    before = resources(project, "Authority")["authority"]["fingerprint"]
    project.configure(**{**project.settings, **number})
    planned = project.preview()
    assert "~ 2 to update" in planned.text, planned.text  # the authority and the server
    said = [planned.text, project.up().text]
    publisher.wait_for_more()
    assert project.unchanged()
    after = resources(project, "Authority")["authority"]["fingerprint"]
    assert before != after
    assert {after} == {_fingerprint(url, outputs(project)["ca"]) for url in _ports(project)}
    return said


def _ports(project: Project) -> list[str]:
    """Those of the clients, which begin in clear, and of the monitoring."""
    return [*outputs(project)["url"].split(","), *outputs(project)["monitor_url"].split(",")]


def _fingerprint(url: str, ca: str) -> str:
    """The SHA-256 of the certificate that a port shows."""
    scheme, _, place = url.partition("://")
    host, _, port = place.rpartition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        if scheme == "tls":
            connection.makefile("rb", buffering=0).readline()
        with ssl.create_default_context(cadata=ca).wrap_socket(connection, server_hostname=host) as wrapped:
            return hashlib.sha256(wrapped.getpeercert(binary_form=True) or b"").hexdigest()


def _a_lost_file_is_written_again(project: Project) -> None:
    """The server runs on without it, and would not start again."""
    file = project.folder / "nats" / "tls" / "server.pem"
    file.unlink()
    assert "1 to update" in project.drift()
    project.up()
    assert project.unchanged()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(0o644)
    assert "1 to update" in project.drift()
    project.up()
    assert file.stat().st_mode & 0o777 == 0o600


def _has_no_key_in_clear(project: Project, said: list[str]) -> None:
    """Not in the state, the output of any command, or a process's arguments; on the disk for the server alone."""
    exported = json.loads(project.pulumi("stack", "export", "--show-secrets").text)
    (made,) = [r["outputs"] for r in exported["deployment"]["resources"] if r["type"].endswith(":Authority")]
    keys = [json.loads(made[name]["plaintext"]).splitlines()[1] for name in ("key", "authority_key")]
    files = [file for file in project.folder.parent.rglob("*") if file.is_file() and not file.is_symlink()]
    lines = [file.read_text(errors="replace") for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
    texts = {"said": "\n".join(said), "processes": "\n".join(lines)}
    texts |= {str(file): file.read_text(errors="replace") for file in files}
    assert {str(project.folder / "nats" / "tls" / "server.pem")} == {
        place for place, text in texts.items() for key in keys if key in text
    }


def test_a_live_stack_with_services_gets_tls_and_loses_it(project: Project) -> None:
    """One up each, with what the streams hold; the provisioner's key and the CA come together."""
    project.configure(**own(project), services=SERVICES)
    project.up()
    seeds = outputs(project)["credentials"]
    login = Credentials(nkey=seeds["market-data-ingestion"], inbox_prefix=inbox_prefix("market-data-ingestion"))
    with closing(JetStream(outputs(project)["url"], login)) as client:
        client.connection.request(SUBJECTS["MARKET_DATA"], b"kept")
    for tls in ("authority", None):
        project.configure(**{**project.settings, "tls": tls})
        assert project.preview().code == 0
        project.up()
        assert project.unchanged()
        assert ("ca" in outputs(project)) == bool(tls)
        assert (project.folder / "nats" / "tls").exists() == bool(tls)
        assert _messages(project, seeds) == 1
        if tls:
            _hands_out_the_ca(project)
    project.destroy()
    assert not (project.folder / "nats").exists()


def _hands_out_the_ca(project: Project) -> None:
    """In a file beside the key; both together are what a client needs."""
    file = project.folder / "agent.nk"
    said = subprocess.run(
        [sys.executable, "-m", "provisioner", "credentials", "routing-agent", "--to", str(file)],
        cwd=project.folder,
        env=project.environment | {"PULUMI_STACK": project.stack},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stderr
    assert f"nats --nkey {file} --inbox-prefix _INBOX_routing-agent --tlsca {file}.ca.pem\n" in said
    with closing(JetStream(outputs(project)["url"], Credentials(nkey=str(file), ca=f"{file}.ca.pem"))):
        pass


def _messages(project: Project, seeds: dict[str, str]) -> int:
    own = Credentials(
        nkey=seeds["provisioner"], inbox_prefix=inbox_prefix("provisioner"), trusted=outputs(project).get("ca")
    )
    with closing(JetStream(outputs(project)["url"], own)) as client:
        return client.streams()["MARKET_DATA"].messages


def test_a_live_cluster_with_certificates_in_files(project: Project, tmp_path: Path) -> None:
    """TLS is turned on, its certificate renewed and TLS turned off again: no acknowledged message is lost."""
    ours = authority(tmp_path / "ours")
    files = {"tls": "files", **_files(ours, tmp_path)}
    clear = own(project, NODES)
    project.configure(**clear)
    project.up()
    url = outputs(project)["url"]
    with publishing(url, SUBJECTS, ping_s=1, tls=ssl.create_default_context(cafile=ours.ca)) as publisher:
        publisher.wait_for_more()
        before = pids(project)
        project.configure(**clear, **files)
        project.up()
        assert project.unchanged()
        publisher.wait_for_more()
        assert not set(before.values()) & set(pids(project).values())
        _a_renewed_file_is_shown(project, ours, tmp_path, publisher)
        project.configure(**clear)
        project.up()
        assert project.unchanged()
        publisher.wait_for_more()
    with closing(JetStream(url, Credentials())) as client:
        assert publisher.lost(client) == {}
    assert publisher.longest_gap < MOST_GAP_S


def _files(ours: Authority, folder: Path) -> dict[str, str]:
    """A certificate at paths of its own, in place of the one that is there."""
    signed = ours.sign("server")
    pair = {name: shutil.copy(path, folder / f"{name}.pem") for name, path in signed._asdict().items()}
    return {"ca": str(ours.ca), **{name: str(path) for name, path in pair.items()}}


def _a_renewed_file_is_shown(project: Project, ours: Authority, folder: Path, publisher: Publisher) -> None:
    """The settings are as they were, the plan has it all the same, and no server is started anew."""
    process, lost = pids(project), publisher.disconnections
    _files(ours, folder)
    assert f"~ {NODES} to update" in project.drift()
    project.up()
    assert process == pids(project)
    assert lost == publisher.disconnections
    expected = ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text())
    shown = {_fingerprint(url, ours.ca.read_text()) for url in _ports(project)}
    assert {hashlib.sha256(expected).hexdigest()} == shown
