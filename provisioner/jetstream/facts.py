"""What the rules need to know of a server, out of its own answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from provisioner.schema.model import AccountLimits, ClusterNode

_LIMITS: Final = {
    "storage": "max_storage",
    "memory": "max_memory",
    "streams": "max_streams",
    "consumers": "max_consumers",
    "stream_storage": "storage_max_stream_bytes",
    "stream_memory": "memory_max_stream_bytes",
}
# Of every stream and consumer of a server, by its operator.
_SERVER_LIMITS: Final = {
    "max_ack_pending": "max_ack_pending",
    "max_batch": "max_request_batch",
    "max_duplicate_window": "max_duplicate_window",
}
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")
# Where 0 is no limit either.
_NONE_AT_ZERO: Final = {"streams", "consumers", "stream_storage", "stream_memory"}
# The name that a server gives to one of the meta group from which it has heard nothing since it started.
_UNHEARD: Final = "Server name unknown"
# Of the ha_assets that a server counts, what max_ha_assets does not: the meta group.
_META_GROUPS: Final = 1


def account_limits(account: Mapping[str, Any]) -> dict[str, AccountLimits]:
    """The limits in the answer to ``$JS.API.INFO``: by tier, or by the empty name."""
    if tiers := account.get("tiers"):
        return {name: _limits(tier["limits"]) for name, tier in tiers.items()}
    return {"": _limits(account["limits"])}


def requires_max_bytes(account: Mapping[str, Any]) -> bool:
    """Whether every stream must have max_bytes."""
    tiers = account.get("tiers") or {"": account}
    return any(tier["limits"].get("max_bytes_required", False) for tier in tiers.values())


def cluster_name(answers: Iterable[Mapping[str, Any]]) -> str | None:
    """The cluster of the servers whose ``/varz`` these are; empty for a single server, None where none has one."""
    servers = [body for body in answers if body.get("jetstream")]
    return next((_cluster(body) for body in servers if _meta(body)), "" if servers else None)


def server_version(answers: Iterable[Mapping[str, Any]]) -> tuple[int, ...] | None:
    """The lowest version that a ``/varz`` has; None where none has one."""
    versions = (_VERSION.match(str(body.get("version"))) for body in answers)
    return min((tuple(map(int, version.groups())) for version in versions if version), default=None)


def cluster_nodes(answers: Iterable[Mapping[str, Any]]) -> tuple[ClusterNode, ...] | None:
    """Every server of the meta group, out of some servers' ``/varz``: those that answer, and as many unknown ones.

    None where no answer says how many there are.
    """
    seen = {body.get("server_id"): body for body in answers if _meta(body)}
    if not seen:
        return None
    leader = next(filter(_leads, seen.values()), {})
    limit = int(((leader.get("jetstream") or {}).get("limits") or {}).get("max_ha_assets") or 0)
    known = [_node(body, limit) for body in seen.values()]
    size = max(int(_meta(body).get("cluster_size", 0)) for body in seen.values())
    # Without a gateway there is no other cluster that a server could be in.
    names = {None if body.get("gateway") else _cluster(body) for body in seen.values()}
    elsewhere = ClusterNode(names.pop() if len(names) == 1 else None)
    silent = size - len(known)
    unheard = min(silent, sum(_is_unheard(peer) for peer in _meta(leader).get("replicas") or ()))
    return (*known, *[elsewhere] * (silent - unheard), *[replace(elsewhere, is_known=False)] * unheard)


def syncs_always(jsz: Mapping[str, Any]) -> bool | None:
    """Whether each message is on the disk before it is acknowledged; None where the server does not say."""
    config = jsz.get("config")
    return bool(config.get("sync_always")) if isinstance(config, Mapping) else None


def server_limits(answers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The lowest limits for each stream and consumer that some servers' ``/varz`` have; those that there are."""
    limits = [(body.get("jetstream") or {}).get("limits") or {} for body in answers]
    found = {
        name: [int(each[wire]) for each in limits if each.get(wire, 0) > 0] for name, wire in _SERVER_LIMITS.items()
    }
    return {name: min(values) for name, values in found.items() if values}


def store_limits(jsz: Mapping[str, Any]) -> dict[str, Any]:
    """A server's limits and reservations; nothing if they are unknown."""
    kinds = ("storage", "memory")
    try:
        limits = {f"max_{kind}": int(jsz["config"][f"max_{kind}"]) for kind in kinds}
        return limits | {f"reserved_{kind}": int(jsz[f"reserved_{kind}"]) for kind in kinds}
    except (LookupError, TypeError, ValueError):
        return {}


def _limits(limits: Mapping[str, Any]) -> AccountLimits:
    values = {name: int(limits.get(wire, -1)) for name, wire in _LIMITS.items()}
    return AccountLimits(**{name: value for name, value in values.items() if value >= (name in _NONE_AT_ZERO)})


def _is_unheard(peer: Mapping[str, Any]) -> bool:
    return str(peer.get("name")).startswith(_UNHEARD)


def _leads(body: Mapping[str, Any]) -> bool:
    """Whether a server leads the meta group."""
    return bool(_meta(body)) and _meta(body).get("leader") == body.get("server_name")


def _node(body: Mapping[str, Any], most_assets: int) -> ClusterNode:
    jetstream = body["jetstream"]
    tags = frozenset(str(tag).lower() for tag in body.get("tags") or [])
    assets = max(int(jetstream["stats"].get("ha_assets") or 0) - _META_GROUPS, 0)
    return ClusterNode(
        _cluster(body),
        tags,
        _free(jetstream, "storage"),
        _free(jetstream, "memory"),
        leads=_leads(body),
        unique_tag=str(jetstream["config"].get("unique_tag") or "").lower(),
        free_assets=max(most_assets - assets, 0) if most_assets > 0 else None,
    )


def _free(jetstream: Mapping[str, Any], kind: str) -> int:
    stats = jetstream["stats"]
    used = max(int(stats[f"reserved_{kind}"]), int(stats[kind]))
    return int(jetstream["config"][f"max_{kind}"]) - used


def _cluster(body: Mapping[str, Any]) -> str | None:
    return (body.get("cluster") or {}).get("name")


def _meta(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a server says of the meta group; nothing if it is in none."""
    return (body.get("jetstream") or {}).get("meta") or {}
