"""The server's rules for mirrors and sources by themselves (checkStreamCfg in server/stream.go)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from itertools import permutations

from provisioner.rules import subjects
from provisioner.rules.problem import Problem
from provisioner.rules.stream_names import is_asset_name
from provisioner.rules.subject_transforms import transform_problem
from provisioner.schema.model import ExternalStream, StreamConfig, StreamSource, SubjectTransform
from provisioner.schema.types import FieldPath


def mirror_problems(config: StreamConfig) -> Iterator[Problem]:
    """Why the server refuses this configuration's mirror."""
    mirror, path = config["mirror"], ("mirror",)
    if not mirror:
        return
    if not mirror["external"] and not is_asset_name(mirror["name"]):
        yield Problem((*path, "name"), f"{mirror['name']!r} is not a stream name")
    yield from _block_problems(mirror, path, _collide)
    if not mirror["external"] and mirror["name"] == config["name"]:
        yield Problem((*path, "name"), "is the stream itself")


def source_problems(config: StreamConfig) -> Iterator[Problem]:
    """Why the server refuses this configuration's sources."""
    for index, source in enumerate(config["sources"]):
        path: FieldPath = ("sources", index)
        if not is_asset_name(source["name"]):
            yield Problem((*path, "name"), f"{source['name']!r} is not a stream name")
        yield from _block_problems(source, path, _contained)
        if not source["external"] and source["name"] == config["name"] and _feeds_itself(config, source):
            yield Problem((*path, "name"), "is the stream itself", ((*path, "filter_subject"), ("subjects",)))
    yield from _repetitions(config["sources"], _identity, "is listed twice, first as")
    yield from _repetitions(config["sources"], _consumer, "has the consumer of")


def filter_problems(config: StreamConfig) -> Iterator[Problem]:
    """Filters that select nothing because they are no subjects: the server lets some of them through."""
    origins: list[tuple[FieldPath, StreamSource | None]] = [(("mirror",), config["mirror"])]
    origins += [(("sources", index), source) for index, source in enumerate(config["sources"])]
    for path, source in origins:
        if source and source["filter_subject"] and not subjects.is_valid(source["filter_subject"]):
            yield Problem((*path, "filter_subject"), f"{source['filter_subject']!r} is not a valid subject")


def _repetitions(
    sources: list[StreamSource], key: Callable[[StreamSource], Hashable | None], what: str
) -> Iterator[Problem]:
    first: dict[Hashable, int] = {}
    for index, source in enumerate(sources):
        identity = key(source)
        if identity is not None and first.setdefault(identity, index) != index:
            other = first[identity]
            yield Problem(("sources", index), f"{source['name']} {what} sources[{other}]", (("sources", other),))


def _block_problems(source: StreamSource, path: FieldPath, collide: Callable[[str, str], bool]) -> Iterator[Problem]:
    transforms = (*path, "subject_transforms")
    if source["filter_subject"] and source["subject_transforms"]:
        yield Problem((*path, "filter_subject"), "excludes subject_transforms", (transforms,))
    for index, transform in enumerate(source["subject_transforms"]):
        if what := transform_problem(transform["src"], transform["dest"]):
            yield Problem((*transforms, index), what)
    yield from _transform_overlaps(source["subject_transforms"], transforms, collide)
    yield from _external_problems(source["external"], (*path, "external"))
    yield from _consumer_problems(source, path)


def _transform_overlaps(
    transforms: list[SubjectTransform], path: FieldPath, collide: Callable[[str, str], bool]
) -> Iterator[Problem]:
    for (first, one), (second, other) in permutations(enumerate(transforms), 2):
        if collide(one["src"], other["src"]):
            what = f"src {other['src']!r} overlaps src {one['src']!r}"
            yield Problem((*path, second), what, ((*path, first),))
            return


def _external_problems(external: ExternalStream | None, path: FieldPath) -> Iterator[Problem]:
    if not external:
        return
    for name, prefix in (("api", external["api"]), ("deliver", external["deliver"])):
        if prefix and not (subjects.is_valid(prefix) and subjects.is_literal(prefix)):
            yield Problem((*path, name), f"{prefix!r} must be a subject without wildcards")
    if external["api"] and subjects.overlap(external["api"], "$JS.API"):
        yield Problem((*path, "api"), "must not be this account's own $JS.API")


def _consumer_problems(source: StreamSource, path: FieldPath) -> Iterator[Problem]:
    consumer, place = source["consumer"], (*path, "consumer")
    if not consumer:
        return
    if not is_asset_name(consumer["name"]):
        yield Problem((*place, "name"), f"{consumer['name']!r} is not a consumer name")
    delivery = consumer["deliver_subject"]
    if not (subjects.is_valid(delivery) and subjects.is_literal(delivery)):
        yield Problem((*place, "deliver_subject"), f"{delivery!r} must be a subject without wildcards")
    if source["opt_start_seq"] or source["opt_start_time"] or source["filter_subject"]:
        excluded = ("opt_start_seq", "opt_start_time", "filter_subject")
        needs = tuple((*path, name) for name in excluded)
        yield Problem(place, "excludes opt_start_seq, opt_start_time and filter_subject", needs)


def _collide(one: str, other: str) -> bool:
    """As the server compares a mirror's: an empty src meets only another one and ``>``."""
    return subjects.overlap(one, other) if one and other else one == other or ">" in {one, other}


def _contained(one: str, other: str) -> bool:
    """As the server compares a source's: an empty src is in ``>`` alone."""
    return subjects.contains(other, one) if one else other == ">"


def _feeds_itself(config: StreamConfig, source: StreamSource) -> bool:
    captured = config["subjects"]
    return not source["filter_subject"] or any(subjects.overlap(s, source["filter_subject"]) for s in captured)


def _origin(source: StreamSource) -> tuple[str, str | None]:
    """The stream and where it is: an external block without a prefix is not the same as none."""
    return source["name"], source["external"]["api"] if source["external"] else None


def _identity(source: StreamSource) -> Hashable:
    """What the server indexes a source by: a filter alone counts as a transform that changes nothing."""
    transforms = tuple((t["src"] or ">", t["dest"] or ">") for t in source["subject_transforms"])
    consumer = source["consumer"]["name"] if source["consumer"] else None
    return *_origin(source), consumer, transforms or ((source["filter_subject"] or ">", ">"),)


def _consumer(source: StreamSource) -> Hashable | None:
    return (*_origin(source), source["consumer"]["name"]) if source["consumer"] else None
