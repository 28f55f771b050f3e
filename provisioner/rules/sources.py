"""The server's rules for mirrors and sources by themselves (checkStreamCfg in server/stream.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

from provisioner.rules import subjects
from provisioner.rules.stream_names import is_asset_name
from provisioner.rules.subject_transforms import problem as transform_problem
from provisioner.schema.model import ExternalStream, StreamConfig, StreamSource


def mirror_problems(config: StreamConfig) -> Iterator[str]:
    """Why the server refuses this configuration's mirror."""
    mirror = config["mirror"]
    if not mirror:
        return
    if not mirror["external"] and not is_asset_name(mirror["name"]):
        yield f"{mirror['name']!r} is not a stream name"
    yield from _block_problems(mirror, subjects.overlap)
    if not mirror["external"] and mirror["name"] == config["name"]:
        yield "is the stream itself"


def source_problems(config: StreamConfig) -> Iterator[str]:
    """Why the server refuses this configuration's sources."""
    identities = [_identity(source) for source in config["sources"]]
    for source in config["sources"]:
        if not is_asset_name(source["name"]):
            yield f"{source['name']!r} is not a stream name"
        yield from (f"{source['name']}: {what}" for what in _block_problems(source, _contained))
        if not source["external"] and source["name"] == config["name"] and _feeds_itself(config, source):
            yield f"{source['name']}: is the stream itself"
    for identity in {identity for identity in identities if identities.count(identity) > 1}:
        yield f"{identity[0]}: is there twice"


def _block_problems(source: StreamSource, collide: Callable[[str, str], bool]) -> Iterator[str]:
    if source["filter_subject"] and source["subject_transforms"]:
        yield "has both filter_subject and subject_transforms"
    transforms = source["subject_transforms"]
    for transform in transforms:
        if what := transform_problem(transform["src"], transform["dest"]):
            yield what
    for one, other in permutations([transform["src"] or ">" for transform in transforms], 2):
        if collide(one, other):
            yield f"subject_transforms {one!r} and {other!r} overlap"
            return
    yield from _external_problems(source["external"])
    yield from _consumer_problems(source)


def _external_problems(external: ExternalStream | None) -> Iterator[str]:
    if not external:
        return
    for name in ("api", "deliver"):
        prefix = external[name]
        if prefix and not (subjects.is_valid(prefix) and subjects.is_literal(prefix)):
            yield f"external {name} {prefix!r} must be a subject without wildcards"
    if external["api"] and subjects.overlap(external["api"], "$JS.API"):
        yield "external api must not be this account's own $JS.API"


def _consumer_problems(source: StreamSource) -> Iterator[str]:
    consumer = source["consumer"]
    if not consumer:
        return
    if not is_asset_name(consumer["name"]):
        yield f"consumer name {consumer['name']!r} is not a consumer name"
    delivery = consumer["deliver_subject"]
    if not (subjects.is_valid(delivery) and subjects.is_literal(delivery)):
        yield f"consumer deliver_subject {delivery!r} must be a subject without wildcards"
    if source["opt_start_seq"] or source["opt_start_time"] or source["filter_subject"]:
        yield "consumer excludes opt_start_seq, opt_start_time and filter_subject"


def _contained(one: str, other: str) -> bool:
    return subjects.contains(other, one)


def _feeds_itself(config: StreamConfig, source: StreamSource) -> bool:
    captured = config["subjects"]
    return not source["filter_subject"] or any(subjects.overlap(s, source["filter_subject"]) for s in captured)


def _identity(source: StreamSource) -> tuple[str | None, ...]:
    """What the server indexes a source by: an external block without a prefix is not the same as none."""
    api = source["external"]["api"] if source["external"] else None
    consumer = source["consumer"]["name"] if source["consumer"] else None
    transforms = (f"{t['src'] or '>'} {t['dest'] or '>'}" for t in source["subject_transforms"])
    return (source["name"], api, consumer, source["filter_subject"] or ">", *transforms)
