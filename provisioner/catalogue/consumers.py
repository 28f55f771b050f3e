"""The ``consumers`` of a stream in a catalogue: a map of name -> fields under JetStream's wire names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from provisioner.catalogue.blocks import Block, read_block
from provisioner.rules.consumer_config import consumer_problems
from provisioner.rules.consumer_estate import beside_problems
from provisioner.rules.normalise import captured
from provisioner.rules.problem import Problem
from provisioner.rules.subjects import overlap
from provisioner.schema.consumer_fields import CONSUMER_CATALOGUE_FIELDS, CONSUMER_FIELDS, consumer_config
from provisioner.schema.consumer_model import KEEPER, ConsumerConfig, ConsumerSpec, subject_filters
from provisioner.schema.model import SERVER_METADATA, Place, StreamConfig
from provisioner.schema.types import FieldPath, Report

CONSUMERS: Final = "consumers"
STATED_FIELDS: Final = tuple(
    field for field in (*CONSUMER_CATALOGUE_FIELDS, *CONSUMER_FIELDS) if field.name != "durable_name"
)
_NAMES: Final = {"durable_name": "does not go here: the key is the consumer's name"}


@dataclass(frozen=True)
class StreamConsumers:
    """Reads the consumers of one stream.

    Attributes:
        stream: its configuration.
        file: how messages call the file.
        line_at: the line of a path below the stream.
        report: hears of each problem, with its path below the stream.
    """

    stream: StreamConfig
    file: str
    line_at: Callable[[FieldPath], int]
    report: Report

    def read(self, content: object) -> Iterator[ConsumerSpec]:
        """Every consumer of a block, as far as it can be read."""
        if content is not None and not isinstance(content, dict):
            self.report((CONSUMERS,), "is not a map of consumers; write NAME: and below it the consumer's fields")
            return
        read: list[ConsumerConfig] = []
        for name, raw in (content or {}).items():
            spec = self._consumer(str(name), raw, read)
            read.append(spec.config)
            yield spec

    def notes(self, spec: ConsumerSpec) -> Iterator[tuple[FieldPath, str]]:
        """Advice that is no error."""
        for subject in subject_filters(spec.config):
            if not any(overlap(subject, own) for own in captured(self.stream)) and not self.stream["mirror"]:
                yield (CONSUMERS, spec.name), f"{subject!r} matches no subject of {spec.stream}"

    def _consumer(self, name: str, raw: object, others: list[ConsumerConfig]) -> ConsumerSpec:
        path = (CONSUMERS, name)
        if raw is not None and not isinstance(raw, dict):
            self.report(path, "is not a block of fields; write each as field: value, on its own line")
        block = self._block(path, raw if isinstance(raw, dict) else {})
        config = consumer_config({**block.values, "durable_name": name})
        for problem in filter(None, map(block.certain, self._problems(config, others))):
            at = path if problem.path == ("durable_name",) else (*path, *problem.path)
            self.report(at, problem.what)
        policy = {field.name: block.values[field.name] for field in CONSUMER_CATALOGUE_FIELDS}
        place = Place(self.file, self.line_at((self.stream["name"], *path)))
        return ConsumerSpec(self.stream["name"], config, **policy, place=place)

    def _block(self, path: FieldPath, raw: Mapping[str, object]) -> Block:
        for field in raw.keys() & _NAMES.keys():
            self.report((*path, field), _NAMES[field])
        proper = {field: value for field, value in raw.items() if field not in _NAMES}
        return read_block(proper, STATED_FIELDS, lambda at, what: self.report((*path, *at), what))

    def _problems(self, config: ConsumerConfig, others: list[ConsumerConfig]) -> Iterator[Problem]:
        yield from consumer_problems(config, self.stream)
        yield from beside_problems(config, self.stream, others, is_new=True)
        yield from reserved_problems(config)


def reserved_problems(config: ConsumerConfig) -> Iterator[Problem]:
    """What is not for a program to give."""
    if config["durable_name"].startswith(KEEPER):
        yield Problem(("durable_name",), f"{KEEPER} begins the names of consumers that an up makes for itself")
    for key in (key for key in config["metadata"] if key.startswith(SERVER_METADATA)):
        yield Problem(("metadata", key), f"{key!r} is the server's own; take it out")
