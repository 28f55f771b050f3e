"""TLS of containers, alone and with all that is secret in a cluster: nothing of it where others can look."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from docker.client import DockerClient
from docker.models.containers import Container

from infra.servers.container import KEY_FILE, tls_files
from provisioner.cli.main import main
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumer
from provisioner.jetstream.target import Credentials
from provisioner.services.handing_out import credentials_of
from provisioner.services.model import inbox_prefix
from tests.e2e.cluster.test_docker_life import _containers, _ids, cluster
from tests.e2e.conftest import Project
from tests.e2e.identities.test_identities import outputs, resources
from tests.e2e.identities.test_secrets import GIVEN_KEY, MIXED, give, places, spellings
from tests.e2e.test_docker import _is_without_rights, _name, dev, engine_client
from tests.e2e.tls.test_tls import _files, _fingerprint
from tests.support.certificates import authority

pytestmark = pytest.mark.docker
__all__ = ["cluster", "dev", "engine_client"]  # pytest finds fixtures by their names here


def test_a_live_container_gets_tls(dev: Project, engine_client: DockerClient, tmp_path: Path) -> None:
    """One up, from files; the plan has the container's replacement, and the stream what it had."""
    clear = dev.settings
    dev.up()
    with closing(JetStream(outputs(dev)["url"], Credentials())) as client:
        client.connection.request("routing.event", b"kept")
    dev.configure(**clear, tls="files", **_files(authority(tmp_path / "ours"), tmp_path))
    assert "+-1 to replace" in dev.preview().text
    dev.up()
    assert dev.unchanged()
    said = outputs(dev)
    assert {"tls", "https"} == {said[each].partition(":")[0] for each in ("url", "monitor_url")}
    with closing(JetStream(said["url"], Credentials(trusted=said["ca"]))) as client:
        assert client.streams()["ROUTING"].messages == 1
    _is_without_rights(engine_client.containers.get(_name(dev)))


SHOP = """\
login: password
services:
  shop: {purpose: Sells, publishes: [orders.*], writes: [SETTINGS]}
  billing: {purpose: Bills, consumes: [ORDERS]}
"""


def _shop(project: Project, storage: str, **consumer: object) -> None:
    project.catalogue(
        ORDERS={"subjects": ["orders.*"], "consumers": {"billing": consumer}},
        buckets={"SETTINGS": {"history": 5, "storage": storage, "seed": {"mode": "safe"}}},
        objects={"MODELS": {"storage": storage}},
    )


def test_consumers_and_stores_in_a_container(dev: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With passwords: the container, a consumer and the storage of both change in one run; then every hop is walked."""
    (dev.folder / "services.yaml").write_text(SHOP)
    settings = {**dev.settings, "catalogue": "streams.yaml", "services": "services.yaml", "tls": "authority"}
    dev.configure(**settings)
    _shop(dev, "file")
    dev.up()
    assert dev.unchanged()
    shop = _login(dev, "shop")
    with closing(JetStream(outputs(dev)["url"], shop)) as client:
        for subject in ("orders.new", "orders.new", "$KV.SETTINGS.own"):
            client.connection.request(subject, b"kept")

    dev.configure(**settings, certificate="2")
    _shop(dev, "memory", ack_policy="all", max_waiting=9)
    dev.up()
    assert dev.unchanged()
    with closing(JetStream(outputs(dev)["url"], _login(dev, "provisioner"))) as client:
        held = {name: info.messages for name, info in client.streams().items()}
        info = consumer(client, "ORDERS", "billing")
    assert {"ORDERS": 2, "KV_SETTINGS": 2, "OBJ_MODELS": 0} == held
    assert info
    assert ("all", 2) == (info.config["ack_policy"], info.outstanding)

    said = outputs(dev)
    monkeypatch.setenv("NATS_URL", said["url"])
    monkeypatch.setenv("NATS_CA", said["ca"])
    monkeypatch.setenv("STREAMS_IDENTITIES", json.dumps(said["credentials"]))
    assert 0 == main(["smoke", "--catalogue", str(dev.folder / "streams.yaml")])


def _login(project: Project, identity: str) -> Credentials:
    said = outputs(project)
    return credentials_of(identity, said["credentials"][identity], Credentials(trusted=said["ca"]))


def test_a_cluster_keeps_its_secrets(cluster: Project, engine_client: DockerClient) -> None:
    """Each of them, looked for in all that the engine tells and has; then another certificate, node by node."""
    (cluster.folder / "services.yaml").write_text(MIXED.replace("max_file: 20GiB", "max_file: 60GiB"))
    cluster.configure(**cluster.settings, services="services.yaml", tls="authority", encryption="chachapoly")
    give(cluster, "encryptionKey", GIVEN_KEY)
    said = [cluster.up(STREAMS_LOG="debug").text, cluster.preview("--expect-no-changes").text]
    assert "39 unchanged" in said[1]
    _publishes(cluster)
    nodes = _containers(cluster, engine_client)
    secrets = {*_secrets(cluster)}
    assert len(secrets) == 11  # of 8 identities, and the keys of the data, the certificate and its authority
    texts = {**dict(places(cluster, said)), **dict(_told(cluster, engine_client))}
    needles = [needle for secret in secrets for needle in spellings(secret)]
    assert [] == [(where, needle[:6]) for where, text in texts.items() for needle in needles if needle in text]
    assert {KEY_FILE, tls_files().key} == {
        file for file, text in _files_of(nodes[_name(cluster)]) for needle in needles if needle in text
    }

    before, shown = _ids(cluster, engine_client), _shown(cluster)
    cluster.pulumi("config", "rm", "prediction-streams:tls")
    assert "find no route to each other" in cluster.preview().text
    for key, value in {"tls": "authority", "certificate": "2"}.items():
        assert cluster.pulumi("config", "set", f"prediction-streams:{key}", value).code == 0
    assert "+-3 to replace" in cluster.preview().text
    cluster.up()
    assert set(before.values()).isdisjoint(_ids(cluster, engine_client).values())
    (renewed,) = _shown(cluster)
    assert renewed not in shown
    assert cluster.unchanged()
    _publishes(cluster)


def _publishes(project: Project) -> None:
    """An identity with an nkey, at any of the nodes."""
    said, who = outputs(project), "market-data-ingestion"
    login = Credentials(nkey=said["credentials"][who], inbox_prefix=inbox_prefix(who), trusted=said["ca"])
    with closing(JetStream(said["url"], login)) as client:
        client.connection.request("market.data.news", b"{}")


def _shown(project: Project) -> set[str]:
    said = outputs(project)
    return {_fingerprint(url, said["ca"]) for each in ("url", "monitor_url") for url in said[each].split(",")}


def _secrets(project: Project) -> Iterator[str]:
    """Each that the state has; of a private key its first line, as a text may have its lines in another form."""
    for resource in resources(project, "--show-secrets"):
        for name in ("seed", "key", "authority_key"):
            value = resource.get("outputs", {}).get(name)
            if isinstance(value, dict):
                secret = json.loads(value["plaintext"])
                pem = re.search(r"PRIVATE KEY-----\n(.+)\n", secret)
                yield pem[1] if pem else secret


def _told(project: Project, engine_client: DockerClient) -> Iterator[tuple[str, str]]:
    """What the engine says to whoever asks."""
    api = engine_client.api
    for name, container in _containers(project, engine_client).items():
        yield f"container {name}", json.dumps(api.inspect_container(container.id))
        yield f"processes of {name}", json.dumps(api.top(container.id, "-eo pid,args"))
        yield f"log of {name}", container.logs().decode()
        yield f"volume {name}", json.dumps(api.inspect_volume(name))
    yield "network", json.dumps(api.inspect_network(_name(project)))


def _files_of(container: Container) -> Iterator[tuple[str, str]]:
    """A container's own files and those of its volume, but for the programs.

    One after the other: the engine holds the container while an archive is read.
    """
    for stream, root in ((container.export, "/"), (lambda: container.get_archive("/data")[0], "/")):
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream()))) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() and not member.mode & 0o100 else None
                if file:
                    yield f"{root}{member.name}", file.read().decode(errors="replace")
