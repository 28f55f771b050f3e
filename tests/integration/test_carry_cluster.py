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
from tests.support.nats_cluster import running_cluster
from tests.support.planner_oracle import Estate, compare_update
from tests.support.raw_nats import raw_client


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
