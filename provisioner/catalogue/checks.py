"""What a catalogue may not say, beyond fields that cannot be read: each check a row.

The server's own rules are in ``validity`` and ``surroundings``; here are those between the
streams of one catalogue, and what belongs to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, TypeAlias

from provisioner.rules import subjects
from provisioner.rules.normalise import captured
from provisioner.rules.server_limits import local_origins, surrounding_problems
from provisioner.rules.stream_config import Problem, lasting_problems
from provisioner.rules.stream_names import STORES, store_prefix
from provisioner.rules.subject_index import SubjectIndex
from provisioner.schema.model import SERVER_METADATA, ServerFacts, StreamConfig, StreamSpec

Specs: TypeAlias = Iterable[StreamSpec]
Found: TypeAlias = Iterator[tuple[StreamSpec, Problem]]

_MOST_NAMED: Final = 3


def stream_problems(config: StreamConfig) -> Iterator[Problem]:
    """What is wrong with a stream by itself."""
    return chain.from_iterable(check(config) for check in _STREAM_CHECKS)


def estate_problems(specs: Specs) -> Found:
    """What is wrong between streams, each with the stream it is told of."""
    return chain.from_iterable(check(specs) for check in _ESTATE_CHECKS)


def _store_names(config: StreamConfig) -> Iterator[Problem]:
    if prefix := store_prefix(config["name"]):
        yield Problem("name", f"{prefix} is reserved for {STORES[prefix]}s; choose another name")


def _server_metadata(config: StreamConfig) -> Iterator[Problem]:
    for key in config["metadata"]:
        if key.startswith(SERVER_METADATA):
            yield Problem("metadata", f"{key!r} is the server's own; take it out")


def _overlaps(specs: Specs) -> Found:
    earlier = SubjectIndex[str]()
    for spec in specs:
        own = [subject for subject in captured(spec.config) if subjects.is_valid(subject)]
        for subject in own:
            if others := list(earlier.overlapping(subject)):
                yield spec, Problem("subjects", f"{subject!r} overlaps {_listed(others)}")
        for subject in own:
            earlier.add(subject, f"{subject!r} of {spec.name}{_line(spec)}")


def _line(spec: StreamSpec) -> str:
    return f" (line {spec.place.line})" if spec.place else ""


def _listed(others: list[str]) -> str:
    more = len(others) - _MOST_NAMED
    return ", ".join(others[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _origins(specs: Specs) -> Found:
    """Cycles of mirrors and sources, and origins whose messages are too large for the copy."""
    configs = {spec.name: spec.config for spec in specs}
    for spec in specs:
        if local_origins(spec.config):
            others = {name: config for name, config in configs.items() if name != spec.name}
            found = surrounding_problems(spec.config, ServerFacts(clustered=True, others=others))
            yield from ((spec, problem) for problem in found if problem.field != "subjects")


_STREAM_CHECKS: Final = (lasting_problems, _store_names, _server_metadata)
_ESTATE_CHECKS: Final = (_overlaps, _origins)
