"""The order in which the streams of a catalogue are made: each after those that it needs to lose no message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provisioner.rules.feedback import capturing
from provisioner.rules.subject_transforms import destinations
from provisioner.schema.model import StreamConfig, StreamSpec


def needed_by(config: StreamConfig, streams: Mapping[str, StreamConfig]) -> list[str]:
    """The streams that are made before one: whose messages it takes, and that capture what it republishes."""
    sources = [*([config["mirror"]] if config["mirror"] else []), *config["sources"]]
    origins = [source["name"] for source in sources if not source["external"] and source["name"] in streams]
    republish = config["republish"]
    targets = (
        [name for name, _ in capturing(destinations(republish["src"], republish["dest"]), streams)] if republish else []
    )
    return [name for name in dict.fromkeys((*origins, *targets)) if name != config["name"]]


def in_order(specs: Iterable[StreamSpec]) -> list[StreamSpec]:
    """Those that others need first, else as they stand, and so two that take different messages of each other."""
    present = {spec.name: spec for spec in specs}
    configs = {name: spec.config for name, spec in present.items()}
    placed: dict[str, StreamSpec] = {}
    for spec in (spec for spec in present.values() if spec.name not in placed):
        placed |= {name: present[name] for name in _with_needed(spec.name, configs, {*placed})}
    return list(placed.values())


def _with_needed(first: str, configs: Mapping[str, StreamConfig], seen: set[str]) -> Iterator[str]:
    """A stream after those it needs, without those seen before; a chain may be longer than Python's stack is deep."""
    stack = [(first, iter(needed_by(configs[first], configs)))]
    while stack:
        current, needed = stack[-1]
        seen.add(current)
        following = next((name for name in needed if name not in seen), None)
        if following:
            stack.append((following, iter(needed_by(configs[following], configs))))
        else:
            yield stack.pop()[0]
