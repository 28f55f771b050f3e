"""Where a stream is in a cluster, by what its leader says: values in, results out, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.status.server_checks import Json, Result, Severity
from provisioner.units import parse_time

# A leader and its replicas hear of each other every second; nats-server itself gives up after ten.
SILENT_S: Final = 5.0
# Entries of the log behind the leader. A replica at work is a few behind at any moment.
MOST_LAG: Final = 10
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True)
class Replica:
    """One that follows.

    Attributes:
        name: of its node.
        current: whether it has all that it should have.
        offline: whether its node is known to be down.
        silent_s: seconds since the leader has heard of it, or since there is a leader if it never has.
        lag: how many entries of the log it is behind.
    """

    name: str
    current: bool
    offline: bool
    silent_s: float
    lag: int

    @property
    def is_lost(self) -> bool:
        """Whether the leader has to do without it."""
        return self.offline or self.silent_s > SILENT_S

    @property
    def trouble(self) -> str | None:
        """What is wrong with it."""
        rows = (
            (self.offline, "is offline"),
            (self.is_lost, f"has been silent for {self.silent_s:,.0f} s"),
            (not self.current and self.lag > MOST_LAG, f"is catching up, {self.lag:,} behind"),
        )
        return next((text for applies, text in rows if applies), None)


@dataclass(frozen=True)
class Placement:
    """Who leads a stream, and who follows; without a leader, ``leader`` is empty and all are among the replicas."""

    leader: str
    replicas: tuple[Replica, ...] = ()

    @property
    def lost(self) -> tuple[Replica, ...]:
        """The replicas that the leader has to do without."""
        return tuple(replica for replica in self.replicas if replica.is_lost)

    @property
    def has_quorum(self) -> bool:
        """Whether the leader and those it hears of are a majority."""
        return bool(self.leader) and 2 * (len(self.replicas) + 1 - len(self.lost)) > len(self.replicas) + 1


def placement(body: Json) -> Placement | None:
    """Out of an answer to INFO, or an entry of LIST; None for the stream of a single server."""
    group = body.get("cluster") or {}
    if not group.get("name"):
        return None
    return Placement(
        str(group.get("leader") or ""), followers(group, seconds_between(group.get("leader_since"), body.get("ts")))
    )


def followers(group: Json, led_s: float = float("inf")) -> tuple[Replica, ...]:
    """The replicas of a stream, or of the meta group, as its leader sees them.

    Args:
        group: the leader's words.
        led_s: for how many seconds it has been the leader.
    """
    return tuple(_replica(each, led_s) for each in group.get("replicas") or ())


def group_results(name: str, where: Placement | None) -> Iterator[Result]:
    """What is wrong with a stream's leader and replicas, the gravest first."""
    if where and not where.leader:
        nodes = ", ".join(replica.name for replica in where.replicas)
        yield Result(name, Severity.CRITICAL, f"has no leader, takes and gives no message; it is on {nodes}")
    elif where:
        if not where.has_quorum:
            total = len(where.replicas) + 1
            yield Result(name, Severity.CRITICAL, f"has lost its quorum: {total - len(where.lost)} of {total} replicas")
        troubles = ((replica.name, replica.trouble) for replica in where.replicas)
        yield from (Result(name, Severity.WARNING, f"replica on {node} {text}") for node, text in troubles if text)


def plain_placement(where: Placement | None) -> dict[str, Any]:
    """The part of a stream's plain form that only a cluster's has."""
    replicas = where.replicas if where else ()
    return {"leader": (where and where.leader) or None, "replicas": [_plain(replica) for replica in replicas]}


def _plain(replica: Replica) -> dict[str, Any]:
    return {
        "name": replica.name,
        "current": replica.current,
        "offline": replica.offline,
        "lag": replica.lag,
        "silent_s": round(replica.silent_s, 3) if replica.silent_s < float("inf") else None,
    }


def _replica(body: Mapping[str, Any], led_s: float) -> Replica:
    heard_s = int(body.get("active") or 0) / _SECOND_NS
    return Replica(
        str(body["name"]),
        bool(body.get("current")),
        bool(body.get("offline")),
        # A replica that is current has been heard of.
        heard_s or (0.0 if body.get("current") else led_s),
        int(body.get("lag") or 0),
    )


def seconds_between(begin: str | None, end: str | None) -> float:
    """Seconds between two of a server's times; endless where it does not say."""
    return max(0, parse_time(end) - parse_time(begin)) / _SECOND_NS if begin and end else float("inf")
