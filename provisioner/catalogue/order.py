"""The order in which the streams of a catalogue are made: each after those whose messages it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provisioner.schema.model import StreamConfig, StreamSpec


def origin_names(config: StreamConfig) -> list[str]:
    """The streams of the same account that a stream takes its messages from."""
    sources = [*([config["mirror"]] if config["mirror"] else []), *config["sources"]]
    return [source["name"] for source in sources if not source["external"]]


def in_order(specs: Iterable[StreamSpec]) -> list[StreamSpec]:
    """Origins first, else as they stand; two that take different messages of each other stay as they stand."""
    present = {spec.name: spec for spec in specs}
    placed: dict[str, StreamSpec] = {}
    for spec in (spec for spec in present.values() if spec.name not in placed):
        placed |= {each.name: each for each in _with_origins(spec, present, {*placed})}
    return list(placed.values())


def _with_origins(spec: StreamSpec, present: Mapping[str, StreamSpec], seen: set[str]) -> Iterator[StreamSpec]:
    """A stream after its origins, without those seen before; a chain may be longer than Python's stack is deep."""
    stack = [(spec, iter(origin_names(spec.config)))]
    while stack:
        current, origins = stack[-1]
        seen.add(current.name)
        following = next((name for name in origins if name in present and name not in seen), None)
        if following:
            stack.append((present[following], iter(origin_names(present[following].config))))
        else:
            yield stack.pop()[0]
