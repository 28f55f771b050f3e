"""The catalogue: YAML text -> streams, or every mistake in it at once.

A map of stream name -> fields under JetStream's wire names (``fields``), and ``defaults``: what
every stream has unless it says otherwise. A null is the server's default. No stream can be
called ``defaults``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from provisioner.catalogue.checks import estate_problems, stream_problems
from provisioner.catalogue.diagnostics import Diagnostics
from provisioner.catalogue.yaml_nodes import Node, compose
from provisioner.errors import CatalogueError
from provisioner.rules.stream_config import Problem
from provisioner.schema.config import config_of
from provisioner.schema.fields import BY_NAME, FIELDS, POLICY_FIELDS
from provisioner.schema.model import Place, StreamSpec
from provisioner.schema.scalars import Labels
from provisioner.schema.types import Field, FieldPath, Wire, read_fields

Given: TypeAlias = Mapping[str, Any]
# The fields that cannot be read, each with its unreadable entries where it is a list or map.
Broken: TypeAlias = Mapping[str, set[str | int]]

DEFAULTS: Final = "defaults"
WRAPPER: Final = "streams"

_NAME: Final = {"name": "does not go here: the key is the stream's name"}
_UNSHARED: Final = dict.fromkeys(("name", "subjects", "mirror", "sources"), "belongs to one stream, not in defaults")
STREAM_FIELDS: Final = tuple(f for f in (*POLICY_FIELDS, *FIELDS) if f.name not in _NAME)
SHARED_FIELDS: Final = tuple(f for f in (*POLICY_FIELDS, *FIELDS) if f.name not in _UNSHARED)

_GIB: Final = 1024**3
_SHAPE: Final = "write NAME: and below it the stream's fields, indented"


def load(path: Path) -> tuple[StreamSpec, ...]:
    """The streams of a catalogue file, in its order.

    Raises:
        CatalogueError: it cannot be read, or has mistakes: one line each.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CatalogueError(f"{path}:{line}: is not UTF-8 text; save it as UTF-8") from error
    return parse(text, str(path))


def parse(text: str, file: str) -> tuple[StreamSpec, ...]:
    """The streams of a catalogue's text; ``file`` is how messages call it.

    Raises:
        CatalogueError: the text has mistakes: one line each.
    """
    mistakes = Diagnostics(file)
    root = compose(text, mistakes.add)
    specs = _Reader(root, file, mistakes).streams() if root else ()
    if mistakes:
        raise CatalogueError(str(mistakes))
    return specs


def reserved(specs: Iterable[StreamSpec]) -> int:
    """Bytes of file store the streams reserve together: max_bytes of every copy."""
    return sum(max(spec.config["max_bytes"], 0) * spec.config["num_replicas"] for spec in _on_disk(specs))


def room(specs: Iterable[StreamSpec]) -> int | None:
    """Bytes of file store to give a server for these streams; None where one of them has no limit.

    The largest counts twice: the server asks for a CREATE's room before it sees that the stream
    is there already, so a full store refuses a service that creates its own stream at start-up.
    """
    sizes = [spec.config["max_bytes"] * spec.config["num_replicas"] for spec in _on_disk(specs)]
    if any(size < 0 for size in sizes):
        return None
    return -(-(sum(sizes) + max(sizes, default=0)) // _GIB) * _GIB or _GIB


def _on_disk(specs: Iterable[StreamSpec]) -> list[StreamSpec]:
    return [spec for spec in specs if spec.config["storage"] == "file"]


@dataclass(frozen=True)
class _Block:
    """Wire values of a block's fields; defaults where nothing is given or it is broken."""

    values: Mapping[str, Wire]
    broken: Broken


class _Reader:
    """One catalogue being read; ``given`` is what it says of each stream."""

    def __init__(self, root: Node, file: str, mistakes: Diagnostics) -> None:
        self._root, self._file, self._mistakes = root, file, mistakes
        self._given: dict[str, Given] = self._blocks({} if root.value is None else root.plain)

    def streams(self) -> tuple[StreamSpec, ...]:
        shared = self._block(DEFAULTS, SHARED_FIELDS, _UNSHARED)
        names = [name for name in self._given if name != DEFAULTS]
        specs = tuple(self._stream(name, shared) for name in names)
        for spec, problem in estate_problems(specs):
            self._tell(spec.name, problem)
        return specs

    def _blocks(self, content: object) -> dict[str, Given]:
        if not isinstance(content, dict):
            self._report((), f"is not a map of streams; {_SHAPE}")
        elif _is_wrapped(content):
            self._report((WRAPPER,), "takes no level of its own; begin each stream's name at the left margin")
        elif not content.keys() - {DEFAULTS}:
            self._report((), f"no streams; {_SHAPE}")
        else:
            return {name: self._fields_of(name, block) for name, block in content.items()}
        return {}

    def _fields_of(self, name: str, block: object) -> Given:
        if isinstance(block, dict):
            return block
        if block is not None:
            self._report((name,), "is not a block of fields; write each as field: value, on its own line")
        return {}

    def _stream(self, name: str, shared: _Block) -> StreamSpec:
        given, own = self._given[name], self._block(name, STREAM_FIELDS, _NAME)
        inherited = shared.values.keys() - given.keys()
        values = {**own.values, **{field: shared.values[field] for field in inherited}, "name": name}
        config = config_of(values)
        broken = own.broken.keys() | (shared.broken.keys() & inherited)
        for problem in _certain(stream_problems(config), broken):
            self._tell(name, problem)
        policy = {field.name: values[field.name] for field in POLICY_FIELDS}
        return StreamSpec(config, **policy, place=Place(self._file, self._root.line_at((name,))))

    def _block(self, name: str, fields: tuple[Field, ...], misplaced: Mapping[str, str]) -> _Block:
        given = self._given.get(name, {})
        broken = defaultdict[str, set[str | int]](set)

        def note(path: FieldPath, what: str) -> None:
            broken[str(path[1])].update(path[2:3])
            self._report(path, what)

        for field in [field for field in given if field in misplaced]:
            self._report((name, field), misplaced[field])
        proper = {field: value for field, value in given.items() if field not in misplaced}
        values = read_fields(proper, fields, (name,), note)
        return _Block({f.name: _readable(f, values[f.name], broken) for f in fields}, broken)

    def _tell(self, name: str, problem: Problem) -> None:
        """Report a problem where it stands: at the very entry, where its text begins with one."""
        entries = _entries(self._given[name].get(problem.field))
        hits = [at for at, label in entries if problem.what.startswith((repr(label), f"{label}: "))]
        self._report((name, problem.field, *hits[-1:]), problem.what)

    def _report(self, path: FieldPath, what: str) -> None:
        self._mistakes.add(self._root.line_at(path), path, what)


def _is_wrapped(content: Given) -> bool:
    """``streams:`` around all streams, as other tools have it."""
    inner = content.get(WRAPPER)
    if content.keys() - {DEFAULTS} != {WRAPPER} or not isinstance(inner, dict) or not inner:
        return False
    return not inner.keys() & BY_NAME.keys() and all(isinstance(block, dict) for block in inner.values())


def _readable(field: Field, value: Wire, broken: Broken) -> Wire:
    """What can be read of a field, so that everything else can be checked."""
    if field.name not in broken:
        return value
    unreadable = broken[field.name]
    if isinstance(value, list):
        return [entry for at, entry in enumerate(value) if at not in unreadable]
    if isinstance(value, dict) and isinstance(field.type, Labels):
        return {key: text for key, text in value.items() if key not in unreadable}
    return field.default


def _certain(problems: Iterable[Problem], broken: Iterable[str]) -> Iterator[Problem]:
    """Without the problems that turn on a field that cannot be read: those wait for it."""
    names = re.compile(rf"\b({'|'.join(map(re.escape, broken))})\b")
    return (problem for problem in problems if not broken or not names.search(problem.what))


def _entries(block: object) -> list[tuple[str | int, object]]:
    """The entries of a list or map, each with what a problem calls it."""
    match block:
        case dict():
            return [(key, key) for key in block]
        case list():
            return [(at, _label(entry)) for at, entry in enumerate(block)]
        case _:
            return []


def _label(entry: object) -> object:
    return entry.get("name") if isinstance(entry, dict) else entry
