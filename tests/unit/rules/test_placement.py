"""Which servers a stream can be on, by what is known of them; the integration tests compare it with real ones."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.rules.server_limits import surrounding_problems
from provisioner.schema.model import ClusterNode, ServerFacts
from tests.support.configurations import config

SSD = ClusterNode("C", frozenset({"ssd"}), 10**9, 10**9, leads=True)
DISK = ClusterNode("C", frozenset({"disk"}), 10**6, 10**6)
SILENT = ClusterNode("C")
EXCLUDED = ClusterNode("C", frozenset({"!jetstream"}), 10**9, 10**9)
ZONES = [ClusterNode("C", frozenset({f"az:{zone}"}), unique_tag="az:", leads=zone == "a") for zone in "abb"]
FULL = ClusterNode("C", free_assets=0)
ROOMY = ClusterNode("C", free_assets=1)
DOWN = ClusterNode("C", is_known=False)
ABROAD = ClusterNode("D", frozenset({"ssd"}), 10**9, 10**9)


@pytest.mark.parametrize(
    ("fields", "nodes", "expected"),
    [
        ({"num_replicas": 3}, None, []),
        ({"placement": {"cluster": "D"}}, None, []),
        ({"num_replicas": 2}, [SSD, DISK], []),
        ({"num_replicas": 3}, [SSD, DISK], ["num_replicas needs 3 servers; cluster C has 2"]),
        ({"num_replicas": 3}, [SSD, DISK, SILENT], []),
        (
            {"num_replicas": 3, "placement": {"tags": ["ssd"]}},
            [SSD, DISK, SILENT],
            ["placement needs 3 servers; cluster C has 3, 2 of them with these tags"],
        ),
        ({"num_replicas": 2, "placement": {"tags": ["SSD"]}}, [SSD, DISK, SILENT], []),
        ({"placement": {"tags": ["!ssd"]}}, [SSD, DISK], []),
        ({"placement": {"cluster": "D"}}, [SSD, DISK], ["placement needs 1 server; cluster D has 0"]),
        ({"placement": {"cluster": "D"}}, [SSD, ClusterNode()], []),
        ({"num_replicas": 2}, [SSD, ABROAD], ["num_replicas needs 2 servers; cluster C has 1"]),
        ({"num_replicas": 2}, [SSD, ABROAD, ABROAD], []),
        (
            {"num_replicas": 2},
            [SSD, EXCLUDED],
            ["num_replicas needs 2 servers; cluster C has 2, 1 of them with these tags"],
        ),
        (
            {"num_replicas": 2, "max_bytes": "100MiB"},
            [SSD, DISK],
            ["max_bytes needs 2 servers; cluster C has 2, 1 with 100.0 MiB left"],
        ),
        ({"num_replicas": 2, "max_bytes": "100MiB"}, [SSD, SILENT], []),
        ({"num_replicas": 2}, ZONES, []),
        (
            {"num_replicas": 3},
            ZONES,
            ["num_replicas needs 3 servers with different tags az:* (unique_tag); cluster C has 2"],
        ),
        ({"num_replicas": 3}, [*ZONES, SILENT], []),
        ({"num_replicas": 2, "placement": {"tags": ["az:b"]}}, ZONES, []),
        ({"num_replicas": 2}, [FULL, ROOMY, ROOMY], []),
        (
            {"num_replicas": 3},
            [FULL, ROOMY, ROOMY],
            ["num_replicas needs 3 servers; cluster C has 3, 2 of them below max_ha_assets"],
        ),
        ({"num_replicas": 1}, [FULL], []),
        ({"num_replicas": 2}, [SSD, SSD, DOWN], []),
        (
            {"num_replicas": 3},
            [SSD, SSD, DOWN],
            ["num_replicas needs 3 servers; cluster C has 3, 1 down since before its leader started"],
        ),
    ],
)
def test_servers_for_a_new_stream(fields: dict[str, Any], nodes: list[ClusterNode] | None, expected: list[str]) -> None:
    """What is not known of a server speaks for it; without any knowledge nothing is a problem."""
    facts = ServerFacts(cluster="C", nodes=None if nodes is None else tuple(nodes))
    assert expected == [str(problem) for problem in surrounding_problems(config(**fields), facts)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {"placement": {"cluster": "C"}}, []),
        (
            {},
            {"placement": {"tags": ["none"]}},
            ["placement needs 1 server; cluster C has 2, 0 of them with these tags"],
        ),
        ({"placement": {"tags": ["none"]}}, {}, []),
        ({"placement": {"tags": ["none"]}}, {"placement": {"tags": ["none"]}, "description": "new"}, []),
        ({"num_replicas": 3}, {"num_replicas": 1}, []),
        (
            {},
            {"num_replicas": 2, "placement": {"cluster": "C"}},
            ["placement cannot change together with num_replicas: the one in one update, the other in the next"],
        ),
        (
            {},
            {"retention": "interest", "placement": {"cluster": "C"}},
            ["placement cannot change together with retention: the one in one update, the other in the next"],
        ),
        ({"placement": {"cluster": "C"}}, {"num_replicas": 2}, []),
        ({"max_bytes": "100MiB"}, {"max_bytes": "100MiB", "num_replicas": 2}, []),
        (
            {},
            {"max_bytes": "2GiB"},
            ["max_bytes asks for 2.0 GiB more than before; the server that leads has less"],
        ),
    ],
)
def test_servers_for_a_changed_stream(old: dict[str, Any], new: dict[str, Any], expected: list[str]) -> None:
    """A move is placed anew; more copies need further servers; fewer need none."""
    facts = ServerFacts(cluster="C", nodes=(SSD, DISK))
    assert expected == [str(problem) for problem in surrounding_problems(config(**new), facts, config(**old))]


@pytest.mark.parametrize(
    ("copies", "more", "nodes", "expected"),
    [
        (1, 3, [FULL, ROOMY, ROOMY], ["num_replicas needs 3 servers; cluster C has 3, 2 of them below max_ha_assets"]),
        (2, 3, [FULL, FULL, ROOMY], []),
        (2, 3, [FULL, FULL, FULL], ["num_replicas needs 3 servers; cluster C has 3, 0 of them below max_ha_assets"]),
        (3, 3, [FULL, FULL, FULL], []),
        (
            2,
            3,
            [SSD, SSD, DOWN],
            ["num_replicas needs 3 servers; cluster C has 3, 1 down since before its leader started"],
        ),
        (3, 5, [SSD, SSD, SSD, SSD, DOWN], []),
        (3, 3, [SSD, SSD, DOWN], []),
    ],
)
def test_servers_for_more_copies(copies: int, more: int, nodes: list[ClusterNode], expected: list[str]) -> None:
    """Copies that are there count already; which servers they are on is not known, so only a sure lack is told."""
    facts = ServerFacts(cluster="C", nodes=tuple(nodes))
    planned = surrounding_problems(config(num_replicas=more), facts, config(num_replicas=copies))
    assert expected == [str(problem) for problem in planned]


def test_a_single_server_has_one_copy() -> None:
    """Placement means nothing to it."""
    copies = config(num_replicas=3, placement={"cluster": "C"})
    expected = ["num_replicas 3 needs a cluster; this is a single server, write 1"]
    assert expected == [str(problem) for problem in surrounding_problems(copies, ServerFacts())]
