"""One block of a catalogue as wire values, as far as it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from provisioner.rules.problem import Problem
from provisioner.schema.scalars import Labels
from provisioner.schema.types import Field, FieldPath, Report, Wire, read_fields

# As it stands in the file: field -> value as YAML has it.
RawBlock: TypeAlias = Mapping[str, object]


@dataclass(frozen=True)
class Block:
    """Wire values of a block's fields.

    Attributes:
        values: every field; the default where the block says nothing or it cannot be read.
        unreadable: the paths, inside the block, of what cannot be read.
        positions: of each list with unreadable entries, where the others stand in the file.
    """

    values: Mapping[str, Wire]
    unreadable: frozenset[FieldPath] = frozenset()
    positions: Mapping[str, list[int]] = field(default_factory=dict)

    def certain(self, problem: Problem) -> Problem | None:
        """The problem with its paths as in the file; None where it may go once everything can be read."""
        paths = tuple(map(self._in_file, (problem.path, *problem.needs)))
        problem = Problem(paths[0], problem.what, paths[1:])
        return None if problem.turns_on(self.unreadable) else problem

    def inheriting(self, shared: Block, names: set[str]) -> Block:
        """This block with the shared one's values for these fields."""
        values = {**self.values, **{name: shared.values[name] for name in names}}
        unreadable = self.unreadable | {path for path in shared.unreadable if path[0] in names}
        return Block(values, unreadable, self.positions)

    def _in_file(self, path: FieldPath) -> FieldPath:
        name, *rest = path
        positions = self.positions.get(str(name))
        if positions is None or not rest:
            return path
        return (name, positions[int(rest[0])], *rest[1:])


def read_block(raw: RawBlock, fields: tuple[Field, ...], report: Report) -> Block:
    """A block's fields; ``report`` hears of everything in it that cannot be read."""
    unreadable = set[FieldPath]()

    def refuse(path: FieldPath, what: str) -> None:
        unreadable.add(path)
        report(path, what)

    values = read_fields(raw, fields, (), refuse)
    broken = {path[0] for path in unreadable}
    positions = {
        name: [at for at in range(len(entries)) if not any(path[:2] == (name, at) for path in unreadable)]
        for name, entries in values.items()
        if name in broken and isinstance(entries, list)
    }
    readable = {f.name: _readable(f, values[f.name], unreadable, positions.get(f.name)) for f in fields}
    return Block(readable, frozenset(unreadable), positions)


def _readable(field: Field, value: Wire, unreadable: set[FieldPath], positions: list[int] | None) -> Wire:
    """What can be read of a field, so that everything else can be checked."""
    paths = {path for path in unreadable if path[0] == field.name}
    if not paths:
        return value
    if positions is not None:
        return [value[at] for at in positions]
    if isinstance(value, dict) and isinstance(field.type, Labels):
        return {key: text for key, text in value.items() if (field.name, key) not in paths}
    return field.default
