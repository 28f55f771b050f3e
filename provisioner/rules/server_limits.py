"""Whether this server would take a configuration: its version, its limits, its other streams.

Follows nats-server's checkStreamCfg, checkAllLimits (server/stream.go, server/jetstream.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from provisioner.rules import subjects
from provisioner.rules.account_limits import account_problems
from provisioner.rules.jetstream_limits import stream_limit_problems
from provisioner.rules.normalise import captured
from provisioner.rules.placement import placement_problems
from provisioner.rules.problem import CAPTURED, ORIGINS, Problem, subject_path
from provisioner.rules.subject_index import SubjectIndex
from provisioner.schema.config import value_of
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import ConsumerLimits, ServerFacts, StreamConfig, StreamSource
from provisioner.schema.types import FieldPath
from provisioner.text import approximate_size
from provisioner.units import format_size


def surrounding_problems(
    config: StreamConfig, facts: ServerFacts, replacing: StreamConfig | None = None
) -> list[Problem]:
    """Every reason this server has against this configuration.

    Args:
        config: the desired configuration.
        facts: what is known of the server; ``facts.others`` without the stream itself.
        replacing: the configuration in place, whose reservation is already counted.
    """
    return [
        *_version_problems(config, facts),
        *placement_problems(config, facts, replacing),
        *account_problems(config, facts, replacing),
        *(_overlap_problems(config, facts.others) if _captures_more(config, replacing) else []),
        *origin_problems(config, facts.others),
        *_reservation_problems(config, facts, replacing),
        *stream_limit_problems(config, facts),
    ]


def origin_problems(config: StreamConfig, others: Mapping[str, StreamConfig]) -> Iterator[Problem]:
    """What is wrong between a stream and the streams it takes its messages from."""
    for _path, source in _origins(config):
        if not source["external"] and (origin := others.get(source["name"])):
            yield from _size_problems(config, origin)
            yield from _delivery_problems(config, origin)
    yield from _cycle_problems(config, others)


def consumer_problems(
    actual: StreamConfig, desired: StreamConfig, consumers: Iterable[Mapping[str, Any]]
) -> list[Problem]:
    """Consumers that are over new consumer_limits; the server refuses the update for them."""
    old, new = (config["consumer_limits"] or _NO_LIMITS for config in (actual, desired))
    return [
        Problem(("consumer_limits", limit), f"is below that of consumer {consumer['name']}")
        for limit in _LIMITS
        if old[limit] != new[limit] > 0
        for consumer in consumers
        if consumer.get(limit, 0) > new[limit]
    ]


def _origins(config: StreamConfig) -> Iterator[tuple[FieldPath, StreamSource]]:
    """The mirror and the sources, each with its path."""
    if config["mirror"]:
        yield ("mirror",), config["mirror"]
    yield from ((("sources", index), source) for index, source in enumerate(config["sources"]))


def _version_problems(config: StreamConfig, facts: ServerFacts) -> Iterator[Problem]:
    if facts.version is None:
        return
    for field in FIELDS:
        if field.since > facts.version[:2] and value_of(config, field.name) != field.default:
            needed, actual = (".".join(map(str, version)) for version in (field.since, facts.version))
            yield Problem((field.name,), f"needs nats-server {needed}; this one is {actual}")


def _captures_more(config: StreamConfig, replacing: StreamConfig | None) -> bool:
    """What a stream captures already overlaps with nobody: all pairs of a large estate take seconds."""
    return replacing is None or not set(captured(config)) <= set(captured(replacing))


def _overlap_problems(config: StreamConfig, others: Mapping[str, StreamConfig]) -> Iterator[Problem]:
    mine = captured(config)
    index = SubjectIndex[int]()
    for at, subject in enumerate(mine):
        if subjects.is_valid(subject):
            index.add(subject, at)
    for other in others.values():
        for theirs in captured(other):
            for at in index.overlapping(theirs):
                what = f"{mine[at]!r} overlaps {theirs!r} of stream {other['name']}"
                yield Problem(subject_path(config, at), what, CAPTURED)


def _size_problems(config: StreamConfig, origin: StreamConfig) -> Iterator[Problem]:
    if 0 < config["max_msg_size"] < origin["max_msg_size"]:
        theirs = format_size(origin["max_msg_size"])
        yield Problem(("max_msg_size",), f"is smaller than the {theirs} of its origin {origin['name']}", ORIGINS)


def _delivery_problems(config: StreamConfig, origin: StreamConfig) -> Iterator[Problem]:
    for path, source in _origins(config):
        prefix = source["external"]["deliver"] if source["external"] else ""
        if prefix and any(subjects.overlap(subject, f"{prefix}.{subject}") for subject in captured(origin)):
            what = f"{prefix!r} overlaps the subjects of {origin['name']}"
            yield Problem((*path, "external", "deliver"), what, ORIGINS)


def _cycle_problems(config: StreamConfig, others: Mapping[str, StreamConfig]) -> Iterator[Problem]:
    waiting, visited = [config], set[str]()
    while waiting:
        stream = waiting.pop(0)
        visited.add(stream["name"])
        for source in (source for _path, source in _origins(stream) if not source["external"]):
            if source["name"] in visited and _feeds(stream, source):
                what = f"closes a cycle: {stream['name']} takes its messages from {source['name']}"
                yield Problem(("mirror",) if config["mirror"] else ("sources",), what, ORIGINS)
                return
            if source["name"] not in visited and (origin := others.get(source["name"])):
                waiting.append(origin)


def _feeds(stream: StreamConfig, source: StreamSource) -> bool:
    taken = source["filter_subject"]
    return stream["mirror"] is source or not taken or any(subjects.overlap(s, taken) for s in stream["subjects"])


_LIMITS: Final[tuple[Literal["inactive_threshold", "max_ack_pending"], ...]] = ("inactive_threshold", "max_ack_pending")
_NO_LIMITS: Final[ConsumerLimits] = {"inactive_threshold": 0, "max_ack_pending": 0}
_STORES: Final = {"file": ("max_storage", "reserved_storage"), "memory": ("max_memory", "reserved_memory")}


def _reservation_problems(
    config: StreamConfig, facts: ServerFacts, replacing: StreamConfig | None
) -> Iterator[Problem]:
    """A single server's room; in a cluster it is part of the placement."""
    limit, reserved = (getattr(facts, name) for name in _STORES[config["storage"]])
    same_store = replacing if replacing and replacing["storage"] == config["storage"] else None
    asked = _reservation(config) - (_reservation(same_store) if same_store else 0)
    if facts.cluster == "" and limit is not None and asked > 0 and reserved + asked > limit:
        yield Problem(
            ("max_bytes",),
            f"asks for {approximate_size(asked)} more; of the {approximate_size(limit)} this server has for "
            f"{config['storage']} streams {approximate_size(reserved)} are reserved",
        )


def _reservation(config: StreamConfig) -> int:
    return max(int(config["max_bytes"]), 0)
