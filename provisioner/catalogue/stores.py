"""The buckets and object stores of a catalogue: a map of name -> fields in their own words, as streams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from provisioner.catalogue.blocks import Block, read_block
from provisioner.catalogue.checks import metadata_problems
from provisioner.rules.problem import Problem
from provisioner.rules.stream_config import lasting_problems
from provisioner.schema.config import config_of
from provisioner.schema.fields import CATALOGUE_FIELDS, POLICY_FIELDS
from provisioner.schema.model import Place, StreamConfig, StreamSpec
from provisioner.schema.scalars import Labels
from provisioner.schema.stores import BUCKETS, StoreKind
from provisioner.schema.types import Field, FieldPath, Report

# A bucket under another name would have its old entries under the subjects of the old one.
STORE_POLICY_FIELDS: Final = tuple(field for field in POLICY_FIELDS if field.name != "renamed_from")
_CATALOGUE_ONLY: Final = tuple(field for field in CATALOGUE_FIELDS if field not in POLICY_FIELDS)
# What a catalogue's defaults say of buckets and object stores too; the others are about messages.
_SHARED: Final = ("purpose", "on_delete", "adopt", "mark_owner", "storage", "num_replicas", "placement")
_MISPLACED: Final = {
    "name": "does not go here: the key is the name",
    "bucket": "does not go here: the key is the name",
    "consumers": "is for streams: clients watch what is in here through consumers that they make for themselves",
    "renamed_from": "is for streams: what is in a bucket or object store stays under its name",
}
SEED: Final = Field("seed", Labels(), {}, "First values, by key: made where there is none, never overwritten.")
_KEY: Final = re.compile(r"(?!\.)[-/_=.A-Za-z0-9]+(?<!\.)")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")


def name_problem(kind: StoreKind, name: str) -> str | None:
    """Why a bucket or object store cannot have this name."""
    return None if _NAME.fullmatch(name) else f"is no {kind.noun}'s name; letters, digits, - and _"


def store_problems(spec: StreamSpec) -> Iterator[Problem]:
    """What is wrong with a bucket or object store by itself."""
    return chain(_problems(spec.config), _seed_problems(spec))


def stated_fields(kind: StoreKind) -> tuple[Field, ...]:
    """What is said of one, by a catalogue or a program."""
    return (*STORE_POLICY_FIELDS, *kind.fields, *((SEED,) if kind is BUCKETS else ()))


def catalogue_fields(kind: StoreKind) -> tuple[Field, ...]:
    """What a catalogue says of one: how it is watched, too."""
    return (*stated_fields(kind), *_CATALOGUE_ONLY)


@dataclass
class Stores:
    """Reads the buckets, or the object stores, of a catalogue.

    Attributes:
        kind: which of them.
        file: how messages call the file.
        line_at: the line of a path.
        report: hears of each problem, with its path.
        shared: the catalogue's defaults.
        stated: the fields that these defaults say something of.
    """

    kind: StoreKind
    file: str
    line_at: Callable[[FieldPath], int]
    report: Report
    shared: Block
    stated: frozenset[str]

    def read(self, content: object) -> Iterator[tuple[StreamSpec, Block]]:
        """Every one of a block, as far as it can be read."""
        if content is not None and not isinstance(content, dict):
            what = f"is not a map of {self.kind.noun}s; write NAME: and below it the {self.kind.noun}'s fields"
            self.report((self.kind.key,), what)
            return
        for name, raw in (content or {}).items():
            yield self._store(str(name), raw)

    def _store(self, name: str, raw: object) -> tuple[StreamSpec, Block]:
        path = (self.kind.key, name)
        if raw is not None and not isinstance(raw, dict):
            what = "is not a block of fields; write each as field: value, on its own line"
            self.report(path, f"{what}; {self.kind.key} has the {self.kind.noun}s, no stream can have this name")
        problem = name_problem(self.kind, name)
        if problem:
            self.report(path, problem)
        raw = raw if isinstance(raw, dict) else {}
        block = self._inheriting(self._block(path, raw), raw)
        words = {field.name: block.values[field.name] for field in self.kind.fields}
        config = config_of(self.kind.stream_values(name, words))
        policy = {field.name: block.values[field.name] for field in (*STORE_POLICY_FIELDS, *_CATALOGUE_ONLY)}
        spec = StreamSpec(
            config, **policy, place=Place(self.file, self.line_at(path)), seed=block.values.get("seed", {})
        )
        if not problem:
            self.report_certain(spec, block, store_problems(spec))
        return spec, block

    def report_certain(self, spec: StreamSpec, block: Block, problems: Iterator[Problem]) -> None:
        """Report what is wrong whatever becomes of the values that cannot be read, in the words of the file."""
        base = (self.kind.key, self.kind.named(spec.name))
        for problem in filter(None, map(block.certain, map(self._in_words, problems))):
            at = problem.path if problem.path[0] in block.values else ()
            self.report((*base, *at), problem.what)

    def _block(self, path: FieldPath, raw: Mapping[str, object]) -> Block:
        for field in raw.keys() & _MISPLACED.keys():
            self.report((*path, field), _MISPLACED[field])
        proper = {field: value for field, value in raw.items() if field not in _MISPLACED}
        return read_block(proper, catalogue_fields(self.kind), lambda at, what: self.report((*path, *at), what))

    def _inheriting(self, block: Block, raw: Mapping[str, object]) -> Block:
        words = {self.kind.word(name) or name: name for name in _SHARED if name in self.stated}
        taken = {word: self.shared.values[name] for word, name in words.items() if word not in raw}
        return Block({**block.values, **taken}, block.unreadable, block.positions)

    def _in_words(self, problem: Problem) -> Problem:
        path, *needs = (self._worded(each) for each in (problem.path, *problem.needs))
        return Problem(path, problem.what, tuple(needs))

    def _worded(self, path: FieldPath) -> FieldPath:
        return (self.kind.word(str(path[0])) or path[0], *path[1:])


def _seed_problems(spec: StreamSpec) -> Iterator[Problem]:
    largest = spec.config["max_msg_size"]
    if spec.seed and spec.config["mirror"]:
        yield Problem(("seed",), "does not go with mirror: its entries are those of another bucket", (("mirror",),))
    for key, value in spec.seed.items():
        if not _KEY.fullmatch(key) or ".." in key:
            yield Problem(("seed", key), "is no key; letters, digits and - / _ = with single dots between them")
        if 0 <= largest < len(value.encode()):
            yield Problem(("seed", key), f"is larger than max_value_size, {largest} bytes", (("max_msg_size",),))


def _problems(config: StreamConfig) -> Iterator[Problem]:
    yield from lasting_problems(config)
    yield from metadata_problems(config)
    if config["name"].startswith("KV_") and config["max_msgs_per_subject"] == 0:
        yield Problem(("max_msgs_per_subject",), "is at least 1")
