"""The smoke test on a cluster of three, of whose nodes one is down."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from provisioner.cli.main import main
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.nats_cluster import running_cluster
from tests.support.stack import build
from tests.support.waiting import until


def test_a_node_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Once the others have leaders again, every run finds its way; none waits for an election of its own."""
    with (
        running_cluster(tmp_path / "cluster", jetstream="max_file_store: 40GB") as cluster,
        closing(JetStream(cluster.url, Credentials())) as client,
    ):
        build(client, replicas=3)
        monkeypatch.setenv("NATS_URL", cluster.url)
        assert 0 == main(["smoke", "--replicas", "3"])
        cluster.kill(1)
        until("the streams have leaders", lambda: 0 == main(["smoke", "--replicas", "3"]), 60)
        codes = [main(["smoke", "--replicas", "3"]) for _ in range(5)]
    assert [0] * 5 == codes, capsys.readouterr().out
