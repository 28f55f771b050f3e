"""A catalogue from a live server: the fewest fields that describe each stream completely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, TypeAlias

import yaml

from provisioner.catalogue.consumers import CONSUMERS
from provisioner.catalogue.reader import parse
from provisioner.catalogue.store_writer import not_of_its_shape, words_of
from provisioner.catalogue.top_level import RESERVED
from provisioner.catalogue.yaml_nodes import compose
from provisioner.errors import CatalogueError
from provisioner.rules.consumer_normalise import normalise_consumer
from provisioner.rules.normalise import normalise
from provisioner.rules.stream_config import lasting_problems
from provisioner.rules.stream_names import unmanaged
from provisioner.schema.config import value_of, with_fields
from provisioner.schema.consumer_fields import CONSUMER_FIELDS, consumer_config, show_consumer
from provisioner.schema.consumer_model import KEEPER, ConsumerConfig
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import OWNER, StreamConfig, StreamInfo
from provisioner.schema.stores import STORE_KINDS, kind_of
from provisioner.schema.types import show_fields

Streams: TypeAlias = Mapping[str, StreamInfo]
StreamConsumers: TypeAlias = Mapping[str, Sequence[ConsumerConfig]]

_HEADER: Final = "# JetStream streams as a server has them.\n\n"
_ENDLESS: Final = 2**31 - 1
_FIELDS: Final = tuple(field for field in FIELDS if field.name != "name")


@dataclass(frozen=True)
class Imported:
    """A catalogue's text, the streams it describes, what to know of others, what is not as asked."""

    text: str
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def catalogue_of(
    streams: Streams, patterns: Sequence[str], file: str, consumers: StreamConsumers | None = None
) -> Imported:
    """The catalogue of the streams that match a shell pattern, or of all, with their durable consumers.

    Streams that are there already can break a rule of the catalogue: they are written as they
    are, and ``problems`` has what is to be changed, with the lines of the ``file`` that it will be.
    """
    matching = sorted(name for name in streams if not patterns or any(fnmatchcase(name, p) for p in patterns))
    left_out = {name: reason for name in matching if (reason := _reason_to_leave(streams[name].config))}
    taken = {name: streams[name].config for name in matching if name not in left_out}
    text = catalogue_text(taken, consumers)
    return Imported(
        text=text,
        names=tuple(taken),
        notes=(*map(": ".join, left_out.items()), *_marked(taken)),
        problems=(*_unmatched(streams, patterns), *(_problems(text, file) if taken else ())),
    )


def catalogue_text(configs: Mapping[str, StreamConfig], consumers: StreamConsumers | None = None) -> str:
    """The YAML of a catalogue, in the style of one written by hand."""
    streams = {name: config for name, config in configs.items() if not kind_of(name)}
    blocks = [_yaml({name: _block(config, (consumers or {}).get(name, ()))}) for name, config in streams.items()]
    for kind in STORE_KINDS:
        stores = {kind.named(name): words_of(kind, each) for name, each in configs.items() if kind_of(name) is kind}
        blocks += [_yaml({kind.key: stores})] if stores else []
    return _HEADER + "\n".join(blocks)


def _block(config: StreamConfig, consumers: Iterable[ConsumerConfig]) -> dict[str, Any]:
    """A stream's fields; an ephemeral consumer is nobody's to keep."""
    durable = {each["durable_name"]: show_consumer(minimal_consumer(each, config)) for each in consumers}
    shown = {
        name: {key: value for key, value in fields.items() if key != "durable_name"} or None
        for name, fields in sorted(durable.items())
        if name and not name.startswith(KEEPER)
    }
    return show_fields(minimal(config), _FIELDS) | ({CONSUMERS: shown} if shown else {})


def minimal_consumer(config: ConsumerConfig, stream: StreamConfig) -> ConsumerConfig:
    """The configuration with every field at its default whose value the server comes to by itself."""
    whole = shortest = normalise_consumer(config, stream)
    for field in CONSUMER_FIELDS:
        shorter = consumer_config({**shortest, field.name: field.default})
        if normalise_consumer(shorter, stream) == whole:
            shortest = shorter
    one = shortest["filter_subjects"]
    return {**shortest, "filter_subject": one[0], "filter_subjects": []} if len(one) == 1 else shortest


def minimal(config: StreamConfig) -> StreamConfig:
    """The configuration with every field at its default whose value the server comes to by itself.

    A field that a rule asks for stays: sealing sets discard to new, and discard_new_per_subject still needs it written.
    """
    whole = shortest = normalise(config)
    for field in (field for field in _FIELDS if value_of(whole, field.name) != field.default):
        shorter = with_fields(shortest, {field.name: field.default})
        if normalise(shorter) == whole and len(lasting_problems(shorter)) <= len(lasting_problems(shortest)):
            shortest = shorter
    return shortest


def _reason_to_leave(config: StreamConfig) -> str | None:
    name, kind = config["name"], kind_of(config["name"])
    if name in RESERVED:
        return "left out: no stream of a catalogue can have this name"
    if kind and (odd := not_of_its_shape(kind, config)):
        return f"left out: not what a client makes as {kind.noun} ({odd})"
    return None if unmanaged([name], ()) else "left out: the server's own, managed elsewhere"


def _unmatched(streams: Streams, patterns: Iterable[str]) -> list[str]:
    return [f"no stream matches {p!r}" for p in patterns if not any(fnmatchcase(name, p) for name in streams)]


def _marked(configs: Mapping[str, StreamConfig]) -> list[str]:
    owners = {name: config["metadata"].get(OWNER) for name, config in configs.items()}
    return [f"{name}: is marked as {owner}'s; another stack cannot take it" for name, owner in owners.items() if owner]


def _problems(text: str, file: str) -> tuple[str, ...]:
    try:
        parse(text, file)
    except CatalogueError as error:
        return tuple(str(error).splitlines())
    return ()


class _Dumper(yaml.SafeDumper):
    """Lists indented below their field; no anchors, which a catalogue may not have."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """In quotes unless a catalogue reads it as the same text without: PyYAML quotes what YAML 1.1 asks for."""
    read = compose(text, lambda *_: None)
    style = None if read and read.plain == text else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _yaml(block: Mapping[str, object]) -> str:
    return yaml.dump(block, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_ENDLESS)
