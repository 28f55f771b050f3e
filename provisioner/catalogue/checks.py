"""What a catalogue may not say, beyond fields that cannot be read: each check a row.

The server's own rules are in ``stream_config`` and ``server_limits``; here are those between the
streams of one catalogue, and what belongs to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, TypeAlias

from provisioner.rules import subjects
from provisioner.rules.feedback import feedback_problems
from provisioner.rules.normalise import captured
from provisioner.rules.problem import Problem, subject_path
from provisioner.rules.server_limits import origin_problems
from provisioner.rules.stream_config import lasting_problems
from provisioner.rules.stream_names import STORES, is_asset_name, store_prefix
from provisioner.rules.subject_index import SubjectIndex
from provisioner.schema.model import SERVER_METADATA, StreamConfig, StreamSpec
from provisioner.schema.stores import kind_of

Specs: TypeAlias = Iterable[StreamSpec]
StreamProblems: TypeAlias = Iterator[tuple[StreamSpec, Problem]]

_MOST_NAMED: Final = 3
_RENAMED: Final = ("renamed_from",)


def stream_problems(config: StreamConfig) -> Iterator[Problem]:
    """What is wrong with a stream by itself."""
    return chain.from_iterable(check(config) for check in _STREAM_CHECKS)


def estate_problems(specs: Specs) -> StreamProblems:
    """What is wrong between streams, each with the stream it is reported of."""
    return chain.from_iterable(check(specs) for check in _ESTATE_CHECKS)


def _store_names(config: StreamConfig) -> Iterator[Problem]:
    if prefix := store_prefix(config["name"]):
        yield Problem(("name",), f"{prefix} is reserved for {STORES[prefix]}s; {_hint(config['name'])}")


def _hint(name: str) -> str:
    kind = kind_of(name)
    return f"write it as {kind.named(name)} under {kind.key}, or choose another name" if kind else "choose another name"


def metadata_problems(config: StreamConfig) -> Iterator[Problem]:
    """Metadata that is the server's to write."""
    for key in config["metadata"]:
        if key.startswith(SERVER_METADATA):
            yield Problem(("metadata", key), f"{key!r} is the server's own; take it out")


def _overlaps(specs: Specs) -> StreamProblems:
    earlier = SubjectIndex[str]()
    for spec in specs:
        own = [(at, subject) for at, subject in enumerate(captured(spec.config)) if subjects.is_valid(subject)]
        for at, subject in own:
            if others := list(earlier.overlapping(subject)):
                yield spec, Problem(subject_path(spec.config, at), f"{subject!r} overlaps {_listed(others)}")
        for _at, subject in own:
            earlier.add(subject, f"{subject!r} of {spec.name}{_line(spec)}")


def _line(spec: StreamSpec) -> str:
    return f" (line {spec.place.line})" if spec.place else ""


def _listed(others: list[str]) -> str:
    more = len(others) - _MOST_NAMED
    return ", ".join(others[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _renames(specs: Specs) -> StreamProblems:
    """A stream has one new name, and the old one is nobody's any more."""
    specs = tuple(specs)
    present, takers = {spec.name: spec for spec in specs}, dict[str, StreamSpec]()
    for spec in (spec for spec in specs if spec.renamed_from):
        old = spec.renamed_from
        if not is_asset_name(old):
            yield spec, Problem(_RENAMED, f"{old!r} is not a stream's name")
        elif old in present:
            yield (
                spec,
                Problem(_RENAMED, f"{old} is still in the catalogue{_line(present[old])}; take one of the two out"),
            )
        elif old in takers:
            yield spec, Problem(_RENAMED, f"{old} has become {takers[old].name}{_line(takers[old])} already")
        takers.setdefault(old, spec)


def _origins(specs: Specs) -> StreamProblems:
    """Cycles of mirrors, sources and republished messages, and origins whose messages are too large for the copy."""
    configs = {spec.name: spec.config for spec in specs}
    for spec in specs:
        for check in (origin_problems, feedback_problems):
            yield from ((spec, problem) for problem in check(spec.config, configs))


_STREAM_CHECKS: Final = (lasting_problems, _store_names, metadata_problems)
_ESTATE_CHECKS: Final = (_overlaps, _renames, _origins)
