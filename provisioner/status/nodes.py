"""The nodes of a cluster, out of the monitoring of as many as answer: values in, results out, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provisioner.errors import NO_META_LEADER, ApiError, ProvisionerError, Unreachable
from provisioner.jetstream.monitoring import Answer
from provisioner.status.replicas import Replica, followers
from provisioner.status.server_checks import Json, Result, Severity, endpoint_results, worst
from provisioner.text import counted

UP: Final = "up"
DOWN: Final = "down"
UNKNOWN: Final = "unknown"  # nobody who could know has been asked


@dataclass(frozen=True)
class Node:
    """A server of a cluster.

    Attributes:
        name: its server_name.
        state: up, down or unknown.
        leads: whether it is the meta leader.
        url: of its monitoring, if that is known to be its own.
        answers: of its monitoring, by endpoint.
        problem: why it is thought to be down.
    """

    name: str
    state: str
    leads: bool = False
    url: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Cluster:
    """A meta group.

    Attributes:
        name: the cluster's.
        size: how many nodes it has.
        quorum: how many of them it needs.
        leader: the meta leader, or None.
        nodes: those that are known by name.
        heard: how many the leader hears of, itself among them; None if it could not be asked.
        silent: the monitoring URLs that nobody answers at, where they are not those of the nodes that are down.
    """

    name: str
    size: int
    quorum: int
    leader: str | None
    nodes: tuple[Node, ...]
    heard: int | None = None
    silent: Mapping[str, str] = field(default_factory=dict)

    @property
    def up(self) -> int:
        """How many nodes are up."""
        return sum(node.state == UP for node in self.nodes)


def cluster_of(answers: Mapping[str, Mapping[str, Answer]]) -> Cluster | None:
    """The cluster that servers belong to; None if none of them says that it belongs to one.

    Args:
        answers: by monitoring URL and endpoint.
    """
    try:
        views = {url: view for url, paths in answers.items() if (view := _meta(paths))}
        return _cluster(answers, views) if views else None
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def cluster_results(cluster: Cluster, account: Json | ProvisionerError) -> Iterator[Result]:
    """The cluster's result, then each node's."""
    problem = _problem(cluster, account)
    figures = f"{cluster.up} of {counted(cluster.size, 'node')} up"
    leader = f"meta leader {cluster.leader}" if cluster.leader else "no meta leader"
    text = f"{problem}: {figures}, {cluster.quorum} are needed" if problem else f"{figures}, {leader}"
    yield Result(f"cluster {cluster.name}", Severity.CRITICAL if problem else Severity.OK, text)
    yield from (_node_result(node) for node in cluster.nodes)
    for url, silence in cluster.silent.items():
        yield Result("monitoring", Severity.WARNING, f"{url}: {silence}")


def plain_cluster(cluster: Cluster | None) -> dict[str, Any] | None:
    """Its plain form; None where no monitoring has told of it."""
    if cluster is None:
        return None
    return {
        "name": cluster.name,
        "size": cluster.size,
        "quorum": cluster.quorum,
        "meta_leader": cluster.leader,
        "nodes": [_plain(node) for node in cluster.nodes],
    }


def _plain(node: Node) -> dict[str, Any]:
    varz = node.answers.get("/varz", Answer()).body
    return {
        "name": node.name,
        "state": node.state,
        "meta_leader": node.leads,
        "monitor_url": node.url,
        "version": varz.get("version"),
        "uptime": varz.get("uptime"),
        "problem": node.problem or None,
    }


def _problem(cluster: Cluster, account: Json | ProvisionerError) -> str | None:
    """Why the cluster as a whole does not work.

    A leader is believed about its nodes, and an answer of the API proves that there is one. Where neither is to be
    had, the nodes that answer are counted.
    """
    answered = not isinstance(account, ProvisionerError)
    rows = (
        (isinstance(account, ApiError) and account.code == NO_META_LEADER, "no meta leader"),
        (cluster.leader is None and not answered, "no meta leader"),
        (cluster.heard is not None and cluster.heard < cluster.quorum, "no quorum"),
        (cluster.heard is None and isinstance(account, Unreachable) and cluster.up < cluster.quorum, "no quorum"),
    )
    return next((text for applies, text in rows if applies), None)


def _node_result(node: Node) -> Result:
    """What is critical on one server is a warning in a cluster: the others do its work."""
    name = f"node {node.name}"
    if node.state != UP or not node.answers:
        severity = Severity.WARNING if node.state == DOWN else Severity.OK
        return Result(name, severity, f"{node.state}: {node.problem}" if node.problem else node.state)
    results = endpoint_results(node.answers)
    severity = min(worst(result.severity for result in results), Severity.WARNING)
    role = "up, meta leader" if node.leads else "up"
    return Result(name, severity, "; ".join((role, *_texts(results))))


def _texts(results: Sequence[Result]) -> Iterator[str]:
    """The figures of the server and its store, and whatever else is wrong."""
    told = ("/varz", "/jsz")
    for result in results:
        if result.name in told:
            yield result.text
        elif result.severity:
            yield f"{result.name} {result.text}"


def _meta(paths: Mapping[str, Answer]) -> Json:
    """What a server says of its meta group; nothing if it is in none."""
    return paths.get("/jsz", Answer()).body.get("meta_cluster") or {}


def _cluster(answers: Mapping[str, Mapping[str, Answer]], views: Mapping[str, Json]) -> Cluster:
    own = {str(answers[url]["/varz"].body.get("server_name") or url): url for url in answers if _answers(answers[url])}
    leader = _leader(own, views)
    view = views[own[leader]] if leader in own and own[leader] in views else None
    group = {replica.name: replica for replica in followers(view)} if view else {}
    first = next(iter(views.values()))
    silent = {url: _silence(paths) for url, paths in answers.items() if not _answers(paths)}
    rest = sorted(_names(views) - own.keys())
    nodes = [Node(name, UP, name == leader, url, answers[url]) for name, url in own.items()]
    return Cluster(
        name=str(first["name"]),
        size=int(first["cluster_size"]),
        quorum=int(first.get("quorum_needed") or int(first["cluster_size"]) // 2 + 1),
        leader=leader,
        nodes=tuple(sorted([*nodes, *_others(rest, silent, group, leader)], key=lambda node: node.name)),
        heard=1 + sum(not replica.is_lost for replica in group.values()) if view else None,
        silent={} if len(rest) == len(silent) else silent,
    )


def _leader(own: Mapping[str, str], views: Mapping[str, Json]) -> str | None:
    """The one that calls itself the leader; else the one that the others name."""
    named = {url: str(view["leader"]) for url, view in views.items() if view.get("leader")}
    leading = [name for name, url in own.items() if named.get(url) == name]
    return next(iter([*leading, *named.values()]), None)


def _others(
    names: Sequence[str], silent: Mapping[str, str], group: Mapping[str, Replica], leader: str | None
) -> Iterator[Node]:
    """The nodes whose monitoring has not answered: all of them may have been asked, or only some."""
    if len(names) <= len(silent):
        url = next(iter(silent)) if len(names) == len(silent) == 1 else None
        problem = f"{', '.join(dict.fromkeys(silent.values()))} ({' or '.join(silent)})"
        yield from (Node(name, DOWN, name == leader, url, problem=problem) for name in names)
    else:
        yield from (_by_hearsay(name, group.get(name), name == leader) for name in names)


def _by_hearsay(name: str, replica: Replica | None, leads: bool) -> Node:  # noqa: FBT001 - a fact, not a switch
    if replica is None:
        return Node(name, UNKNOWN, leads, problem="no monitoring URL of its own")
    return Node(
        name, DOWN if replica.is_lost else UP, leads, problem=(replica.trouble or "") if replica.is_lost else ""
    )


def _names(views: Mapping[str, Json]) -> set[str]:
    leaders = {str(view["leader"]) for view in views.values() if view.get("leader")}
    return leaders | {replica.name for view in views.values() for replica in followers(view)}


def _answers(paths: Mapping[str, Answer]) -> bool:
    return any(not answer.problem for answer in paths.values())


def _silence(paths: Mapping[str, Answer]) -> str:
    return next(answer.problem for answer in paths.values())
