"""Whether this server would take a configuration: its version, its limits, its other streams.

Follows nats-server's checkStreamCfg, checkAllLimits (server/stream.go, server/jetstream.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, Literal

from provisioner.rules import subjects
from provisioner.rules.normalise import captured
from provisioner.rules.stream_config import Problem
from provisioner.schema.config import value_of
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import ConsumerLimits, ServerFacts, StreamConfig, StreamSource
from provisioner.text import approximate_size


def surrounding_problems(
    config: StreamConfig, facts: ServerFacts, replacing: StreamConfig | None = None
) -> list[Problem]:
    """Every reason this server has against this configuration.

    Args:
        config: the wanted configuration.
        facts: what is known of the server; ``facts.others`` without the stream itself.
        replacing: the configuration in place, whose reservation is already counted.
    """
    return [
        *_version_problems(config, facts),
        *_replica_problems(config, facts),
        *(_overlap_problems(config, facts.others) if _captures_more(config, replacing) else []),
        *chain.from_iterable(_origin_problems(config, facts.others, source) for source in local_origins(config)),
        *_cycle_problems(config, facts.others),
        *_reservation_problems(config, facts, replacing),
    ]


def consumer_problems(
    actual: StreamConfig, desired: StreamConfig, consumers: Iterable[Mapping[str, Any]]
) -> list[Problem]:
    """Consumers that are over new consumer_limits; the server refuses the update for them."""
    old, new = (config["consumer_limits"] or _NO_LIMITS for config in (actual, desired))
    return [
        Problem("consumer_limits", f"{limit} is below that of consumer {consumer['name']}")
        for limit in _LIMITS
        if old[limit] != new[limit] > 0
        for consumer in consumers
        if consumer.get(limit, 0) > new[limit]
    ]


def local_origins(config: StreamConfig) -> list[StreamSource]:
    """The mirror and sources of this account."""
    return [s for s in (config["mirror"], *config["sources"]) if s and not s["external"]]


def _version_problems(config: StreamConfig, facts: ServerFacts) -> Iterator[Problem]:
    for field in FIELDS:
        if field.since > facts.version[:2] and value_of(config, field.name) != field.default:
            needed, found = (".".join(map(str, version)) for version in (field.since, facts.version))
            yield Problem(field.name, f"needs nats-server {needed}; this one is {found}")


def _replica_problems(config: StreamConfig, facts: ServerFacts) -> Iterator[Problem]:
    if config["num_replicas"] > 1 and not facts.clustered:
        yield Problem("num_replicas", f"{config['num_replicas']} needs a cluster; this is a single server, write 1")


def _captures_more(config: StreamConfig, replacing: StreamConfig | None) -> bool:
    """What a stream captures already overlaps with nobody: all pairs of a large estate take seconds."""
    return replacing is None or not set(captured(config)) <= set(captured(replacing))


def _overlap_problems(config: StreamConfig, others: Mapping[str, StreamConfig]) -> Iterator[Problem]:
    for other in others.values():
        for mine in filter(subjects.is_valid, captured(config)):
            for theirs in captured(other):
                if subjects.overlap(mine, theirs):
                    yield Problem("subjects", f"{mine!r} overlaps {theirs!r} of stream {other['name']}")


def _origin_problems(
    config: StreamConfig, others: Mapping[str, StreamConfig], source: StreamSource
) -> Iterator[Problem]:
    origin = others.get(source["name"])
    if origin and 0 < config["max_msg_size"] < origin["max_msg_size"]:
        yield Problem("max_msg_size", f"is smaller than {origin['max_msg_size']} of its origin {source['name']}")
    for prefix in _delivery_prefixes(config):
        if origin and any(subjects.overlap(subject, f"{prefix}.{subject}") for subject in captured(origin)):
            yield Problem("sources", f"external deliver {prefix!r} overlaps the subjects of {source['name']}")


def _delivery_prefixes(config: StreamConfig) -> list[str]:
    given = [s["external"]["deliver"] for s in (config["mirror"], *config["sources"]) if s and s["external"]]
    return [prefix for prefix in given if prefix]


def _cycle_problems(config: StreamConfig, others: Mapping[str, StreamConfig]) -> Iterator[Problem]:
    streams = {**others, config["name"]: config}
    waiting, seen = [config], set[str]()
    while waiting:
        stream = waiting.pop(0)
        seen.add(stream["name"])
        for source in local_origins(stream):
            if source["name"] in seen and _feeds(stream, source):
                field = "mirror" if config["mirror"] else "sources"
                yield Problem(field, f"{stream['name']} <- {source['name']} closes a cycle")
                return
            if source["name"] in streams and source["name"] not in seen:
                waiting.append(streams[source["name"]])


def _feeds(stream: StreamConfig, source: StreamSource) -> bool:
    wanted = source["filter_subject"]
    return stream["mirror"] is source or not wanted or any(subjects.overlap(s, wanted) for s in stream["subjects"])


_LIMITS: Final[tuple[Literal["inactive_threshold", "max_ack_pending"], ...]] = ("inactive_threshold", "max_ack_pending")
_NO_LIMITS: Final[ConsumerLimits] = {"inactive_threshold": 0, "max_ack_pending": 0}
_STORES: Final = {"file": ("max_storage", "reserved_storage"), "memory": ("max_memory", "reserved_memory")}


def _reservation_problems(
    config: StreamConfig, facts: ServerFacts, replacing: StreamConfig | None
) -> Iterator[Problem]:
    if facts.max_bytes_required and config["max_bytes"] <= 0:
        yield Problem("max_bytes", "must be set: this account requires it of every stream")
    limit, reserved = (getattr(facts, name) for name in _STORES[config["storage"]])
    same_store = replacing if replacing and replacing["storage"] == config["storage"] else None
    copies = 1 if not facts.clustered else config["num_replicas"]
    asked = max(config["max_bytes"], 0) * copies - (_reservation(same_store) if same_store else 0)
    if limit is not None and asked > 0 and reserved + asked > limit:
        yield Problem(
            "max_bytes",
            f"asks for {approximate_size(asked)} more; of the {approximate_size(limit)} this server has for "
            f"{config['storage']} streams {approximate_size(reserved)} are reserved",
        )


def _reservation(config: StreamConfig) -> int:
    return max(int(config["max_bytes"]), 0) * int(config["num_replicas"])
