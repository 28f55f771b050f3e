"""Consumers of a cluster whose node is gone: only what is asked about is waited for, and called what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioner.catalogue.reader import load
from provisioner.errors import Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import listed, make
from provisioner.jetstream.target import Credentials
from provisioner.providers import consumer_properties
from provisioner.providers.consumer import ConsumerProvider
from provisioner.schema.model import OnDelete
from provisioner.status.collect import collect
from tests.support.nats_cluster import NatsCluster, running_cluster
from tests.support.raw_nats import RawClient, raw_client
from tests.support.waiting import until

CATALOGUE = """\
ORDERS:
  subjects: [orders]
  num_replicas: 3
  consumers:
    billing:
    alone: {num_replicas: 1}
"""
STREAM, STRANGER = "ORDERS", "stranger"
DEADLINE_S = 60.0


@dataclass(frozen=True)
class Scene:
    """A cluster whose node with two consumers of one replica is gone: one of the catalogue, one of somebody else's."""

    cluster: NatsCluster
    file: Path

    @property
    def url(self) -> str:
        """Of the nodes that run."""
        return ",".join(self.cluster.nodes[number].url for number in self.cluster.running())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The node is killed once it has both."""
    folder = tmp_path_factory.mktemp("scene")
    file = folder / "streams.yaml"
    file.write_text(CATALOGUE)
    catalogue = load(file)
    with running_cluster(folder / "cluster") as cluster:
        with closing(JetStream(cluster.url, Credentials())) as client, raw_client(cluster.url) as raw:
            client.create(catalogue.streams[0].config)
            for spec in catalogue.consumers:
                make(client, STREAM, spec.config)
            node = until("the consumer of one replica has a leader", lambda: _leader(client, "alone"), DEADLINE_S)
            until("a stranger's is beside it", lambda: _stranger_on(node, client, raw), DEADLINE_S)
        cluster.kill(cluster.names.index(node))
        made = Scene(cluster, file)
        with closing(JetStream(made.url, Credentials())) as client:
            until("the others have a leader", lambda: _others_answer(client), DEADLINE_S)
        yield made


def _leader(client: JetStream, name: str) -> str | None:
    leader = client.request(f"CONSUMER.INFO.{STREAM}.{name}")["cluster"].get("leader")
    return str(leader) if leader else None


def _stranger_on(node: str, client: JetStream, raw: RawClient) -> bool:
    raw.add_consumer(STREAM, STRANGER, num_replicas=1)
    if until("it has a leader", lambda: _leader(client, STRANGER), DEADLINE_S) == node:
        return True
    client.request(f"CONSUMER.DELETE.{STREAM}.{STRANGER}")
    return False


def _others_answer(client: JetStream) -> bool:
    try:
        return {"billing"} == set(listed(client, STREAM).present)
    except Unreachable:
        return False


def test_a_list(scene: Scene) -> None:
    """Has those that answer; one that does not is an error for whoever needs it, and for nobody else."""
    with closing(JetStream(scene.url, Credentials())) as client:
        found = listed(client, STREAM)
        assert {"alone", STRANGER} == found.missing
        assert {"billing"} == set(found.with_needed(client, STREAM, ["billing", "unheard of"]))
        with pytest.raises(Unreachable, match=r"CONSUMER\.INFO\.ORDERS\.alone"):
            found.with_needed(client, STREAM, ["billing", "alone"])


@pytest.mark.usefixtures("own_process")
def test_a_refresh(scene: Scene) -> None:
    """Says of the one that does not answer that it does not, and of the other nothing."""
    specs = {spec.name: spec for spec in load(scene.file).consumers}
    read = {
        name: ConsumerProvider().read(
            spec.label, {**consumer_properties.inputs(spec, OnDelete.GUARD), "url": scene.url}
        )
        for name, spec in specs.items()
    }
    told = {name: str((each.outs or {}).get("status")).partition(":")[0] for name, each in read.items()}
    assert {"billing": "None", "alone": "unreachable"} == told


def test_a_status(scene: Scene) -> None:
    """Critical, as nobody gets its messages: it is there, and has no leader."""
    report = collect(scene.file, scene.url, "", {})
    assert [("billing", "ok"), ("alone", "no leader")] == [(each.spec.name, each.state) for each in report.consumers]
    told = {result.name: (result.severity.name, result.text) for result in report.results}
    text = "does not answer: it has no leader, or the nodes that it is on are down"
    assert ("CRITICAL", text) == told["ORDERS/alone"]
