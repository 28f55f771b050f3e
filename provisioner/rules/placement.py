"""Whether the cluster has servers for a stream: replicas, placement, and changes of them.

Follows nats-server's selectPeerGroup and jsClusteredStreamUpdateRequest (server/jetstream_cluster.go). What is not
known of a server speaks for it, so that a problem is one for sure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from provisioner.rules.normalise import checked
from provisioner.rules.problem import Problem
from provisioner.schema.config import value_of
from provisioner.schema.model import ClusterNode, ServerFacts, StreamConfig
from provisioner.text import approximate_size, counted

_EXCLUDED: Final = "!jetstream"
_FREE: Final = {"file": "free_storage", "memory": "free_memory"}
_PLACED: Final = (("placement",), ("num_replicas",), ("max_bytes",), ("storage",))


def placement_problems(config: StreamConfig, facts: ServerFacts, replacing: StreamConfig | None) -> Iterator[Problem]:
    """Why no server can hold the stream, or not enough of them.

    Args:
        config: the desired configuration.
        facts: what is known of the cluster.
        replacing: the configuration in place.
    """
    if facts.cluster is None:
        return
    if not facts.cluster:
        if config["num_replicas"] > 1:
            what = f"{config['num_replicas']} needs a cluster; this is a single server, write 1"
            yield Problem(("num_replicas",), what)
        return
    desired, actual = checked(config), checked(replacing) if replacing else None
    yield from _combined_problems(desired, actual)
    if facts.nodes is not None:
        yield from _peer_problems(desired, facts.cluster, facts.nodes, actual)
        yield from _growth_problems(desired, facts.nodes, actual)


def _combined_problems(desired: StreamConfig, actual: StreamConfig | None) -> Iterator[Problem]:
    """The server moves a stream, or changes these; not both at once."""
    if not actual or not _moves(desired, actual):
        return
    for field in ("num_replicas", "retention"):
        if value_of(desired, field) != value_of(actual, field):
            what = f"cannot change together with {field}: the one in one update, the other in the next"
            yield Problem(("placement",), what, ((field,),))


def _moves(desired: StreamConfig, actual: StreamConfig) -> bool:
    return bool(desired["placement"]) and desired["placement"] != actual["placement"]


def _peer_problems(
    desired: StreamConfig, own: str, nodes: Collection[ClusterNode], actual: StreamConfig | None
) -> Iterator[Problem]:
    if actual is None or _moves(desired, actual):
        staying = 0
    elif desired["num_replicas"] > actual["num_replicas"]:
        staying = int(actual["num_replicas"])
    else:
        return
    counted_already = _replicated(actual)
    reasons = [_lack(desired, cluster, nodes, staying, counted_already) for cluster in _clusters(desired, own, nodes)]
    if all(reasons):
        yield Problem((_blamed(desired, nodes),), reasons[0], _PLACED)


def _blamed(desired: StreamConfig, nodes: Collection[ClusterNode]) -> str:
    """The field that is the first to think of."""
    if desired["num_replicas"] > len(nodes):
        return "num_replicas"
    if desired["placement"]:
        return "placement"
    return "num_replicas" if all(_has_room(node, desired) for node in nodes) else "max_bytes"


def _clusters(desired: StreamConfig, own: str, nodes: Iterable[ClusterNode]) -> list[str]:
    """The placement's cluster; else that of the client first, then any other."""
    placement = desired["placement"]
    if placement and placement["cluster"]:
        return [placement["cluster"]]
    return list(dict.fromkeys([own, *(node.cluster for node in nodes if node.cluster)]))


def _replicated(actual: StreamConfig | None) -> int:
    """On how many servers a stream counts towards max_ha_assets."""
    copies = int(actual["num_replicas"]) if actual else 0
    return copies if copies > 1 else 0


def _lack(
    desired: StreamConfig, cluster: str, nodes: Collection[ClusterNode], staying: int, counted_already: int
) -> str:
    """Why a cluster has too few servers; empty if it has enough.

    Servers that have the stream already are not asked for room again, and those that count it not for another asset.
    """
    there = [node for node in nodes if node.cluster in {None, cluster}]
    tagged = [node for node in there if _has_tags(node, desired)]
    roomy = [node for node in tagged if _has_room(node, desired)]
    if len(tagged) >= desired["num_replicas"] and len(roomy) + staying >= desired["num_replicas"]:
        return (
            _lack_of_known_servers(desired, cluster, tagged, staying)
            or _lack_of_assets(desired, cluster, tagged, counted_already)
            or _lack_of_unique_tags(desired, cluster, tagged, _unique_tag(desired, nodes))
        )
    needed = f"needs {counted(desired['num_replicas'], 'server')}; cluster {cluster} has {len(there)}"
    fits = f", {len(tagged)} of them with these tags" if len(tagged) < len(there) else ""
    room = f", {len(roomy)} with {approximate_size(desired['max_bytes'])} left" if len(roomy) < len(tagged) else ""
    return needed + fits + room


def _lack_of_known_servers(desired: StreamConfig, cluster: str, tagged: Collection[ClusterNode], staying: int) -> str:
    """Why the server that leads sees too few: it has started anew while others were down, and waits for each of them.

    A stream that is led has a majority that it sees; the rest of its servers may be among those it does not.
    """
    unknown = sum(not node.is_known for node in tagged)
    if not unknown or len(tagged) - unknown + max(staying - 1, 0) // 2 >= desired["num_replicas"]:
        return ""
    needed = counted(desired["num_replicas"], "server")
    return f"needs {needed}; cluster {cluster} has {len(tagged)}, {unknown} down since before its leader started"


def _lack_of_assets(desired: StreamConfig, cluster: str, tagged: Collection[ClusterNode], counted_already: int) -> str:
    """Why too few may have one more stream with replicas."""
    below = sum(node.free_assets is None or node.free_assets > 0 for node in tagged)
    if desired["num_replicas"] == 1 or below + counted_already >= desired["num_replicas"]:
        return ""
    needed = counted(desired["num_replicas"], "server")
    return f"needs {needed}; cluster {cluster} has {len(tagged)}, {below} of them below max_ha_assets"


def _unique_tag(desired: StreamConfig, nodes: Iterable[ClusterNode]) -> str:
    """As the server that leads is configured; a placement that asks for such a tag itself switches it off."""
    prefix = next((node.unique_tag for node in nodes if node.leads), "")
    asked = (desired["placement"] or {"tags": []})["tags"]
    return "" if any(tag.lower().startswith(prefix) for tag in asked) else prefix


def _lack_of_unique_tags(desired: StreamConfig, cluster: str, tagged: Collection[ClusterNode], prefix: str) -> str:
    """Why there are too few servers that differ in the tag; one of which no tags are known may differ."""
    known = {tag for node in tagged for tag in node.tags or () if tag.startswith(prefix)}
    different = len(known) + sum(node.tags is None for node in tagged)
    if not prefix or different >= desired["num_replicas"]:
        return ""
    needed = counted(desired["num_replicas"], "server")
    return f"needs {needed} with different tags {prefix}* (unique_tag); cluster {cluster} has {different}"


def _has_tags(node: ClusterNode, desired: StreamConfig) -> bool:
    if node.tags is None:
        return True
    tags = [tag.lower() for tag in (desired["placement"] or {"tags": []})["tags"]]
    return _EXCLUDED not in node.tags and all(
        tag[1:] not in node.tags if tag.startswith("!") else tag in node.tags for tag in tags
    )


def _has_room(node: ClusterNode, desired: StreamConfig) -> bool:
    free = getattr(node, _FREE[desired["storage"]])
    return free is None or desired["max_bytes"] <= max(free, 0)


def _growth_problems(
    desired: StreamConfig, nodes: Iterable[ClusterNode], actual: StreamConfig | None
) -> Iterator[Problem]:
    """An update that asks for more is measured by the room of the server that leads, wherever the stream is."""
    more = max(desired["max_bytes"], 0) - max(actual["max_bytes"], 0) if actual else 0
    for node in nodes:
        free = getattr(node, _FREE[desired["storage"]])
        if node.leads and free is not None and more > max(free, 0):
            what = f"asks for {approximate_size(more)} more than before; the server that leads has less"
            yield Problem(("max_bytes",), what, (("storage",),))
