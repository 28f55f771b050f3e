"""Facts out of a server's own answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from provisioner.jetstream.facts import account_limits, cluster_nodes, requires_max_bytes
from provisioner.schema.model import AccountLimits, ClusterNode

UNLIMITED = {
    "max_memory": -1,
    "max_storage": -1,
    "max_streams": -1,
    "max_consumers": -1,
    "memory_max_stream_bytes": -1,
    "storage_max_stream_bytes": -1,
    "max_bytes_required": False,
}


def _varz(name: str, **changes: Any) -> dict[str, Any]:
    room = {"max_memory": 100, "max_storage": 1000}
    used = {"memory": 1, "storage": 30, "reserved_memory": 10, "reserved_storage": 20}
    meta = {"leader": "n0", "cluster_size": 3}
    jetstream = {"config": room, "stats": used, "meta": meta}
    body = {"server_id": name, "server_name": name, "tags": ["Ssd"], "cluster": {"name": "C"}, "gateway": {}}
    return {**body, "jetstream": jetstream, **changes}


KNOWN = ClusterNode("C", frozenset({"ssd"}), 970, 90)
LEADER = ClusterNode("C", frozenset({"ssd"}), 970, 90, leads=True)
SILENT = ClusterNode("C")
UNHEARD = ClusterNode("C", is_known=False)


def _limited(name: str, left: int) -> dict[str, Any]:
    """Of a server with max_ha_assets 3: the meta group, which it does not limit, is counted by its own figure."""
    jetstream = _varz(name)["jetstream"]
    stats = {**jetstream["stats"], "ha_assets": 1 + 3 - left}
    return _varz(name, jetstream={**jetstream, "stats": stats, "limits": {"max_ha_assets": 3}})


def _unheard(name: str) -> dict[str, Any]:
    """Of a server that has heard nothing of one of the others."""
    jetstream = _varz(name)["jetstream"]
    peers = [{"name": "Server name unknown at this time (peerID: 44jzkV9D)"}, {"name": "n1"}]
    return _varz(name, jetstream={**jetstream, "meta": {**jetstream["meta"], "replicas": peers}})


def _with(node: ClusterNode, left: int) -> ClusterNode:
    return replace(node, free_assets=left)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], None),
        ([{}], None),
        ([_varz("n0", jetstream={})], None),
        ([_varz("n0")], (LEADER, SILENT, SILENT)),
        ([_varz("n0"), {}, _varz("n2"), _varz("n2")], (LEADER, KNOWN, SILENT)),
        ([_varz("n1", gateway={"name": "C"})], (KNOWN, ClusterNode(), ClusterNode())),
        ([_limited("n1", 0), _limited("n0", 2)], (_with(KNOWN, 0), _with(LEADER, 2), SILENT)),
        ([_limited("n1", 0)], (KNOWN, SILENT, SILENT)),
        ([_unheard("n0"), _varz("n1")], (LEADER, KNOWN, UNHEARD)),
        ([_unheard("n0"), _varz("n1"), _varz("n2")], (LEADER, KNOWN, KNOWN)),
        ([_unheard("n1")], (KNOWN, SILENT, SILENT)),
    ],
)
def test_nodes(answers: list[dict[str, Any]], expected: tuple[ClusterNode, ...] | None) -> None:
    """Who answers is known, the others of the meta group are there; with a gateway they may be in another cluster."""
    assert expected == cluster_nodes(answers)


def test_limits_for_all_streams() -> None:
    """-1 is no limit, and so is 0 where the server takes it for none."""
    limits = {**UNLIMITED, "max_storage": 0, "max_streams": 0, "max_consumers": 7, "max_bytes_required": True}
    assert {"": AccountLimits(storage=0, consumers=7)} == account_limits({"limits": limits})
    assert requires_max_bytes({"limits": limits})


def test_limits_by_tier() -> None:
    """The limits beside the tiers mean nothing."""
    tiers = {"R1": {"limits": {**UNLIMITED, "max_streams": 2}}, "R3": {"limits": UNLIMITED}}
    account = {"limits": {**UNLIMITED, "max_storage": 0}, "tiers": tiers}

    assert {"R1": AccountLimits(streams=2), "R3": AccountLimits()} == account_limits(account)
    assert not requires_max_bytes(account)
