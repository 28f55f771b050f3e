"""The catalogue: YAML text -> streams, or every problem in it at once.

A map of stream name -> fields under JetStream's wire names (``fields``), and keys that are no
streams: ``defaults``, what every stream has unless it says otherwise, ``ignore``, the streams
of others that a status does not list, and ``buckets`` and ``objects`` (``stores``). A null is the server's default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from provisioner.catalogue.blocks import Block, RawBlock, read_block
from provisioner.catalogue.checks import estate_problems, stream_problems
from provisioner.catalogue.consumers import CONSUMERS, StreamConsumers
from provisioner.catalogue.diagnostics import Diagnostics
from provisioner.catalogue.files import read_text
from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.stores import Stores
from provisioner.catalogue.top_level import (
    DEFAULTS,
    IGNORE,
    RESERVED,
    STORES,
    ignored_patterns,
    likely_key,
    shape_problem,
)
from provisioner.catalogue.yaml_nodes import Node, compose
from provisioner.errors import CatalogueError
from provisioner.rules.problem import CAPTURED, Problem
from provisioner.schema.config import config_of
from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.fields import CATALOGUE_FIELDS, FIELDS
from provisioner.schema.model import Place, StreamConfig, StreamSpec
from provisioner.schema.stores import STORE_KINDS, kind_of
from provisioner.schema.types import Field, FieldPath

_NAME: Final = {"name": "does not go here: the key is the stream's name"}
_UNSHARED: Final = dict.fromkeys(
    ("name", "renamed_from", "subjects", "mirror", "sources", CONSUMERS), "belongs to one stream, not in defaults"
)
STREAM_FIELDS: Final = tuple(f for f in (*CATALOGUE_FIELDS, *FIELDS) if f.name not in _NAME)
SHARED_FIELDS: Final = tuple(f for f in (*CATALOGUE_FIELDS, *FIELDS) if f.name not in _UNSHARED)
_CAPTURING: Final = {path[0] for path in CAPTURED}


def load(path: Path, replicas: int | None = None) -> Catalogue:
    """A catalogue's file.

    Args:
        path: the file.
        replicas: ``num_replicas`` of a stream where the file says none.

    Raises:
        CatalogueError: it cannot be read, or has problems: one line each.
    """
    return parse(read_text(path), str(path), replicas)


def parse(text: str, file: str, replicas: int | None = None) -> Catalogue:
    """A catalogue's text; ``file`` is how messages call it, ``replicas`` as for ``load``.

    Raises:
        CatalogueError: the text has problems: one line each.
    """
    problems = Diagnostics(file)
    root = compose(text, problems.add)
    catalogue = _Reader(root, file, problems, replicas).catalogue() if root else Catalogue(())
    if problems:
        raise CatalogueError(str(problems))
    return catalogue


class _Reader:
    """One catalogue being read; ``_raw`` has each block as it stands in the file."""

    def __init__(self, root: Node, file: str, problems: Diagnostics, replicas: int | None) -> None:
        self._root, self._file, self._problems = root, file, problems
        self._notes = Diagnostics(file)
        content = {} if root.value is None else root.plain
        if shape := shape_problem(content):
            self._report(*shape)
            content = {}
        self._ignore = ignored_patterns(content.get(IGNORE), self._report)
        self._stores = {key: content[key] for key in STORES & content.keys()}
        blocks = {name: block for name, block in content.items() if name not in {IGNORE, *STORES}}
        self._raw = {name: self._fields_of(name, block) for name, block in blocks.items()}
        if replicas:
            self._raw[DEFAULTS] = {"num_replicas": replicas, **self._raw.get(DEFAULTS, {})}
        self._blocks: dict[str, Block] = {}
        self._consumers: list[ConsumerSpec] = []
        self._readers: dict[str, Stores] = {}

    def catalogue(self) -> Catalogue:
        shared = self._block(DEFAULTS, SHARED_FIELDS, _UNSHARED)
        streams = tuple(self._stream(name, shared) for name in self._raw if name not in RESERVED)
        specs = (*streams, *self._read_stores(shared))
        for spec, problem in estate_problems([spec for spec in specs if self._captures_for_certain(spec)]):
            self._report_estate(spec, problem)
        for spec in streams:
            self._advise(spec)
            self._advise_renamed(spec)
        return Catalogue(specs, self._notes.lines(), self._ignore, tuple(self._consumers))

    def _fields_of(self, name: str, block: object) -> RawBlock:
        if isinstance(block, dict):
            return block
        if block is not None:
            self._report((name,), "is not a block of fields; write each as field: value, on its own line")
        return {}

    def _stream(self, name: str, shared: Block) -> StreamSpec:
        own = self._block(name, STREAM_FIELDS, _NAME)
        block = own.inheriting(shared, set(shared.values) - set(self._raw[name]))
        self._blocks[name] = block
        config = config_of({**block.values, "name": name})
        self._report_certain(name, stream_problems(config))
        policy = {field.name: block.values[field.name] for field in CATALOGUE_FIELDS}
        self._read_consumers(config)
        return StreamSpec(config, **policy, place=Place(self._file, self._root.line_at((name,))))

    def _read_stores(self, shared: Block) -> Iterator[StreamSpec]:
        stated = frozenset(self._raw.get(DEFAULTS, {}))
        for kind in STORE_KINDS:
            reader = Stores(kind, self._file, self._root.line_at, self._report, shared, stated)
            self._readers[kind.key] = reader
            for spec, block in reader.read(self._stores.get(kind.key)):
                self._blocks[spec.name] = block
                yield spec

    def _report_estate(self, spec: StreamSpec, problem: Problem) -> None:
        kind = kind_of(spec.name)
        if kind and spec.name not in self._raw:
            self._readers[kind.key].report_certain(spec, self._blocks[spec.name], iter([problem]))
        else:
            self._report_certain(spec.name, [problem])

    def _read_consumers(self, config: StreamConfig) -> None:
        name = config["name"]
        reader = StreamConsumers(
            config, self._file, self._root.line_at, lambda path, what: self._report((name, *path), what)
        )
        for spec in reader.read(self._raw[name].get(CONSUMERS)):
            self._consumers.append(spec)
            for path, what in reader.notes(spec):
                self._notes.add(self._root.line_at((name, *path)), (name, *path), what)

    def _block(self, name: str, fields: tuple[Field, ...], misplaced: Mapping[str, str]) -> Block:
        raw = self._raw.get(name, {})
        for field in [field for field in raw if field in misplaced]:
            self._report((name, field), misplaced[field])
        proper = {field: value for field, value in raw.items() if field not in {*misplaced, CONSUMERS}}
        return read_block(proper, fields, lambda path, what: self._report((name, *path), what))

    def _captures_for_certain(self, spec: StreamSpec) -> bool:
        """Whether a stream without subjects has none, rather than some that cannot be read."""
        unreadable = {path[0] for path in self._blocks[spec.name].unreadable}
        return bool(spec.config["subjects"]) or not unreadable & _CAPTURING

    def _advise(self, spec: StreamSpec) -> None:
        """A key that captures its own name without a word may be no stream at all."""
        if self._raw[spec.name].keys() & _CAPTURING:
            return
        if meant := likely_key(spec.name):
            self._report((spec.name,), meant)
        else:
            what = f"has no subjects, so it captures its own name; write subjects: [{spec.name}] if that is meant"
            self._notes.add(self._root.line_at((spec.name,)), (spec.name,), what)

    def _advise_renamed(self, spec: StreamSpec) -> None:
        if spec.renamed_from:
            path, what = (spec.name, "renamed_from"), f"can go once an up has carried {spec.renamed_from} over"
            self._notes.add(self._root.line_at(path), path, what)

    def _report_certain(self, name: str, problems: Iterable[Problem]) -> None:
        for problem in filter(None, map(self._blocks[name].certain, problems)):
            self._report((name, *problem.path), problem.what)

    def _report(self, path: FieldPath, what: str) -> None:
        self._problems.add(self._root.line_at(path), path, what)
