"""Changes that need a new stream, carried out in a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.carry_folder import CARRY_TO
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.reconcile.context import close_all
from tests.support.nats_cluster import running_cluster
from tests.support.planner_oracle import Estate, compare_update
from tests.support.raw_nats import raw_client
from tests.support.stream_provider import gate, props, provider
from tests.support.waiting import until


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """A cluster of this module's own, without other streams."""
    folder = tmp_path_factory.mktemp("cluster")
    with (
        running_cluster(folder) as cluster,
        closing(JetStream(cluster.url, Credentials())) as client,
        raw_client(cluster.nodes[0].url) as raw,
    ):
        yield Estate(cluster, client, raw, client.facts(",".join(cluster.monitor_urls)))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test leaves is not the next one's."""
    monkeypatch.setenv(CARRY_TO, str(tmp_path))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"num_replicas": 3}, {"storage": "memory"}),
        ({"num_replicas": 3}, {"retention": "workqueue"}),
        ({"num_replicas": 1}, {"storage": "memory", "num_replicas": 3}),
        ({"num_replicas": 3}, {"persist_mode": "async", "num_replicas": 1}),
        ({"num_replicas": 2, "storage": "memory"}, {"storage": "file", "num_replicas": 3}),
        ({"num_replicas": 3, "first_seq": 10}, {"first_seq": 0}),
    ],
)
def test_messages_and_consumers_are_carried_over(site: Estate, old: dict[str, Any], new: dict[str, Any]) -> None:
    """The new stream has all of them; the server lists a consumer only once its own group has a leader."""
    old = {"subjects": ["a.>"], **old}
    consumer = {"ack_policy": "explicit"}
    compare_update(site, {"old": old, "new": {**old, **new}, "messages": True, "consumer": consumer})


@pytest.mark.usefixtures("own_process")
def test_another_leader_of_a_carried_stream_is_no_other_stream(site: Estate) -> None:
    """Replicas differ about when a restored stream was created: it is read, carried, changed and deleted all the same.

    The one that took the restore in says the moment when it was done, the others when it was asked for.
    """
    url, client = site.server.url, site.client
    wanted = props(url, subjects=["orders"], num_replicas=3, on_delete="delete")
    made = provider().create(wanted).outs or {}
    client.connection.request("orders", b"x")
    queue = {**wanted, "retention": "workqueue"}
    carried = provider().update("ORDERS", made, queue).outs or {}
    others = until("another replica leads", lambda: _led_by_another(client, carried["created"]))
    assert others < carried["created"]

    close_all()
    read = provider().read("ORDERS", carried).outs or {}
    assert "status" not in read
    assert [] == gate(url, [wanted])
    back = provider().update("ORDERS", read, {**wanted, "retention": "limits"}).outs or {}
    assert 1 == client.state("ORDERS")["messages"]

    until("another replica leads", lambda: _led_by_another(client, back["created"]))
    close_all()
    described = provider().update("ORDERS", back, {**wanted, "description": "as another leads"}).outs or {}
    assert back["created"] == described["created"], "the first one may lead again"
    until("another replica leads", lambda: _led_by_another(client, back["created"]))
    close_all()
    provider().delete("ORDERS", described)
    assert {} == client.streams()


def _led_by_another(client: JetStream, created: str) -> str | None:
    """When the stream was created by the words of another replica than the one whose words are given."""
    info = client.request("STREAM.INFO.ORDERS")
    if info["cluster"].get("leader") and info["created"] != created:
        return str(info["created"])
    client.request("STREAM.LEADER.STEPDOWN.ORDERS")
    return None
