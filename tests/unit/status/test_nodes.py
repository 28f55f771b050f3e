"""The checks of a cluster's nodes, one row a case."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from provisioner.errors import ApiError, LoginRefused, ProvisionerError, Unreachable
from provisioner.jetstream.monitoring import Answer
from provisioner.status.nodes import Cluster, cluster_of, cluster_results, plain_cluster
from provisioner.status.render import show
from provisioner.status.report import Report, plain
from provisioner.status.server_checks import ENDPOINTS, Result, Severity, worst

OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
GIB = 1024**3
SECOND_NS = 1_000_000_000
SILENT = dict.fromkeys(ENDPOINTS, Answer(problem="no answer: Connection refused"))
ACCOUNT = {"streams": 1}
NO_LEADER = ApiError(10008, "unavailable")
NO_ANSWER = Unreachable("no answer")
ONE_UP = "1 of 3 nodes up, 2 are needed"

Answers = Mapping[str, Mapping[str, Answer]]


def node(name: str, leader: str | None = "n0", lost: tuple[str, ...] = (), size: int = 3) -> dict[str, Answer]:
    """A node's monitoring: itself, and the others as it sees them; only a leader knows how they are."""
    others = [
        {
            "name": other,
            "current": name == leader and other not in lost,
            "active": (9 if other in lost else 0) * SECOND_NS,
        }
        for other in (f"n{number}" for number in range(size))
        if other != name
    ]
    meta = {"name": "C", "cluster_size": size, "quorum_needed": size // 2 + 1, "replicas": others}
    jsz = {"config": {"max_storage": 4 * GIB}, "storage": 0, "reserved_storage": GIB}
    bodies: dict[str, dict[str, Any]] = {
        "/healthz": {"status": "ok"},
        "/varz": {"server_name": name, "version": "2.15.1", "uptime": "3m", "connections": 2, "slow_consumers": 0},
        "/jsz": jsz | {"meta_cluster": meta | ({"leader": leader} if leader else {})},
        "/connz?limit=1": {"total": 2},
        "/subsz": {"num_subscriptions": 65},
    }
    return {path: Answer(body) for path, body in bodies.items()}


def cluster(*nodes: Mapping[str, Answer]) -> Cluster:
    """A cluster by the answers of these, at the URLs u0, u1 and so on."""
    found = cluster_of({f"u{number}": answers for number, answers in enumerate(nodes)})
    assert found
    return found


def judged(found: Cluster, account: Mapping[str, Any] | ProvisionerError) -> dict[str, Result]:
    """The results, by name."""
    return {result.name: result for result in cluster_results(found, account)}


def test_all_is_well() -> None:
    """A line for the cluster, and one for each node with its figures."""
    figures = "nats-server 2.15.1, up 3m, 2 connections, 0 slow consumers; "
    store = "file store: 0 B of 4.0 GiB used, 1.0 GiB of 4.0 GiB reserved"
    assert [
        Result("cluster C", OK, "3 of 3 nodes up, meta leader n0"),
        Result("node n0", OK, f"up, meta leader; {figures}{store}"),
        Result("node n1", OK, f"up; {figures}{store}"),
        Result("node n2", OK, f"up; {figures}{store}"),
    ] == list(cluster_results(cluster(node("n0"), node("n2"), node("n1")), ACCOUNT))


@pytest.mark.parametrize(
    ("answers", "account", "severity", "text"),
    [
        ((node("n0", lost=("n2",)), node("n1"), SILENT), ACCOUNT, OK, "2 of 3 nodes up, meta leader n0"),
        # The API answers, so there is a leader, although most of the monitoring is not to be had.
        ((node("n1"), SILENT, SILENT), ACCOUNT, OK, "1 of 3 nodes up, meta leader n0"),
        ((node("n1"), SILENT, SILENT), NO_ANSWER, CRITICAL, f"no quorum: {ONE_UP}"),
        ((node("n1"), SILENT, SILENT), NO_LEADER, CRITICAL, f"no meta leader: {ONE_UP}"),
        ((node("n1", None), SILENT, SILENT), NO_ANSWER, CRITICAL, f"no meta leader: {ONE_UP}"),
        # A leader that has yet to find out.
        ((node("n0", lost=("n1", "n2")), SILENT, SILENT), ACCOUNT, CRITICAL, f"no quorum: {ONE_UP}"),
        # Whoever may not log in learns nothing of the API.
        ((node("n1"), node("n2"), SILENT), LoginRefused("no"), OK, "2 of 3 nodes up, meta leader n0"),
        # One URL of a cluster.
        ((node("n0"),), ACCOUNT, OK, "3 of 3 nodes up, meta leader n0"),
        ((node("n1"),), ACCOUNT, OK, "1 of 3 nodes up, meta leader n0"),
    ],
)  # fmt: skip
def test_quorum(
    answers: tuple[Mapping[str, Answer], ...],
    account: Mapping[str, Any] | ProvisionerError,
    severity: Severity,
    text: str,
) -> None:
    """A lost node is no matter of the cluster's as long as there is a quorum and a leader."""
    assert Result("cluster C", severity, text) == judged(cluster(*answers), account)["cluster C"]


@pytest.mark.parametrize(
    ("answers", "states"),
    [
        ((node("n0"), node("n1"), SILENT), {"n0": "up", "n1": "up", "n2": "down"}),
        ((node("n1"), SILENT, SILENT), {"n0": "down", "n1": "up", "n2": "down"}),
        ((node("n0"),), {"n0": "up", "n1": "up", "n2": "up"}),
        ((node("n0", lost=("n2",)),), {"n0": "up", "n1": "up", "n2": "down"}),
        ((node("n1"),), {"n0": "unknown", "n1": "up", "n2": "unknown"}),
    ],
)
def test_states(answers: tuple[Mapping[str, Answer], ...], states: dict[str, str]) -> None:
    """By their own answers; where no URL of theirs is known, by those of the leader."""
    assert states == {node.name: node.state for node in cluster(*answers).nodes}


def test_a_node_that_is_down() -> None:
    """A warning that says why; its URL is known where it can only be that one."""
    found = cluster(node("n0"), node("n1"), SILENT)
    silence = "down: no answer: Connection refused (u2)"
    assert Result("node n2", WARNING, silence) == judged(found, ACCOUNT)["node n2"]
    assert "u2" == found.nodes[2].url
    assert WARNING == worst(result.severity for result in cluster_results(found, ACCOUNT))


def test_two_nodes_that_are_down() -> None:
    """Which of the URLs is whose nobody can say; each node has its line all the same, and no URL one of its own."""
    told = judged(cluster(node("n0"), SILENT, SILENT), ACCOUNT)
    assert ["cluster C", "node n0", "node n1", "node n2"] == list(told)
    assert "down: no answer: Connection refused (u1 or u2)" == told["node n1"].text


def test_a_node_that_is_not_healthy() -> None:
    """What would be critical of a single server is a warning of one among several, and is told."""
    ill = node("n2") | {"/healthz": Answer({"status": "unavailable", "error": "not current"})}
    result = judged(cluster(node("n0"), node("n1"), ill), ACCOUNT)["node n2"]
    assert WARNING == result.severity
    assert result.text.startswith("up; /healthz unavailable: not current; nats-server")


def test_a_url_too_many() -> None:
    """One that nobody answers at, and that belongs to no node, is a warning of its own."""
    found = cluster(node("n0"), node("n1"), node("n2"), SILENT)
    assert Result("monitoring", WARNING, "u3: no answer: Connection refused") == judged(found, ACCOUNT)["monitoring"]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"u0": SILENT},
        {"u0": {**node("n0"), "/jsz": Answer({"disabled": True})}},
        {"u0": {**node("n0"), "/jsz": Answer({"meta_cluster": {"name": "C"}})}},
        {"u0": {**node("n0"), "/jsz": Answer({"meta_cluster": "C"})}},
        {"u0": {**node("n0"), "/jsz": Answer({"meta_cluster": {"name": "C", "replicas": [1]}})}},
    ],
)
def test_no_cluster(answers: Answers) -> None:
    """Servers that stand alone, and answers of something else."""
    assert cluster_of(answers) is None


def test_plain() -> None:
    """The documented keys; what is not known is null."""
    report = Report(cluster=cluster(node("n0"), node("n1"), SILENT))
    told = plain(report)["cluster"]
    assert plain_cluster(report.cluster) == told
    assert ("C", 3, 2, "n0") == tuple(told[key] for key in ("name", "size", "quorum", "meta_leader"))
    keys = ("name", "state", "meta_leader", "monitor_url", "version")
    assert [
        ("n0", "up", True, "u0", "2.15.1"),
        ("n1", "up", False, "u1", "2.15.1"),
        ("n2", "down", False, "u2", None),
    ] == [tuple(node[key] for key in keys) for node in told["nodes"]]


def test_shown() -> None:
    """People get the same in lines."""
    found = cluster(node("n0"), node("n1"), SILENT)
    output = io.StringIO()
    report = Report(cluster=found, server=tuple(cluster_results(found, ACCOUNT)))
    show(report, Console(file=output, width=120), datetime(2026, 1, 8, tzinfo=UTC))
    assert output.getvalue().startswith(
        "OK        cluster C  2 of 3 nodes up, meta leader n0\nOK        node n0    up, meta"
    )
