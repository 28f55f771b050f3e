"""Republished messages that come back to the stream they are from: the server lets them go round.

nats-server refuses a destination that the stream itself captures, and a cycle of mirrors and sources, not a way
back through other streams. What a stream has from a source, no stream captures when it is republished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from provisioner.rules.normalise import captured
from provisioner.rules.problem import CAPTURED, Problem
from provisioner.rules.subject_transforms import mapped, transform_problem
from provisioner.rules.subjects import contains, meet
from provisioner.schema.model import StreamConfig, StreamSource, SubjectTransform

Streams: TypeAlias = Mapping[str, StreamConfig]
# A stream, and a pattern of the subjects that arrive there.
_Arrival: TypeAlias = tuple[str, str]

# A subject may have fewer messages in each round; who comes back as often as this comes back for ever.
_ROUNDS: Final = 3
_NEEDS: Final = (("republish",), ("subject_transform",), *CAPTURED)


def feedback_problems(config: StreamConfig, others: Streams) -> Iterator[Problem]:
    """Why what a stream republishes would come back to it; ``others`` are the streams beside it."""
    if config["republish"] and (route := _way_back(config, {**others, config["name"]: config})):
        what = f"closes a cycle: {' -> '.join(route)}; a message would go round and round"
        yield Problem(("republish", "dest"), what, _NEEDS)


def capturing(subject: str, streams: Streams) -> Iterator[_Arrival]:
    """The streams that capture some of these subjects, each with which."""
    for name, config in streams.items():
        yield from ((name, part) for own in captured(config) if (part := meet(subject, own)))


def _way_back(config: StreamConfig, streams: Streams) -> list[str]:
    """The streams that a message passes from this one to itself; none where that is by its own destination alone."""
    start, first = config["name"], [">"] if config["mirror"] else captured(config)
    waiting: list[list[_Arrival]] = [[(start, subject)] for subject in first]
    seen = set[_Arrival]()
    while waiting:
        *before, arrival = path = waiting.pop()
        if round_ := _round(before, arrival):
            if start in round_ and len(round_) > 1:
                return [*_from(start, round_), start]
        elif arrival not in seen:
            seen.add(arrival)
            waiting += [[*path, following] for following in _onward(*arrival, streams)]
    return []


def _round(before: list[_Arrival], arrival: _Arrival) -> list[str]:
    """The streams between an arrival and the same one before; or the same stream, if it has come by often enough."""
    names = [name for name, _ in before]
    again = [at for at, name in enumerate(names) if name == arrival[0]]
    return names[again[-1] :] if arrival in before or len(again) >= _ROUNDS else []


def _from(start: str, names: list[str]) -> list[str]:
    at = names.index(start)
    return [*names[at:], *names[:at]]


def _onward(name: str, arrived: str, streams: Streams) -> Iterator[_Arrival]:
    """Where messages of a subject are next: in mirrors, and where they are republished to."""
    config = streams[name]
    for stored in _stored(config, arrived):
        for other in streams.values():
            if (mirror := other["mirror"]) and mirror["name"] == name and not mirror["external"]:
                yield from ((other["name"], subject) for subject in _copied(mirror, stored))
        if republish := config["republish"]:
            for subject in _through({"src": republish["src"], "dest": republish["dest"]}, stored):
                yield from capturing(subject, streams)


def _stored(config: StreamConfig, arrived: str) -> Iterator[str]:
    transform = config["subject_transform"]
    if transform:
        yield from _through(transform, arrived)
    if not transform or not contains(transform["src"] or ">", arrived):
        yield arrived


def _copied(mirror: StreamSource, stored: str) -> Iterator[str]:
    taken = mirror["filter_subject"]
    for transform in mirror["subject_transforms"] or [SubjectTransform(src=taken, dest="")]:
        yield from _through(transform, stored)


def _through(transform: SubjectTransform, subject: str) -> Iterator[str]:
    """What a transform makes of the subjects that its source matches; nothing where the server refuses it."""
    source = transform["src"] or ">"
    part = meet(subject, source)
    if part and not transform_problem(source, transform["dest"]):
        yield mapped(part, source, transform["dest"]) if transform["dest"] else part
