"""What a program says of one resource: checked, and put in the words of Pulumi's state and of the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.resources.declared import Declared
from provisioner.resources.errors import require_none
from provisioner.resources.values import is_plain
from provisioner.resources.wording import CONSUMER, Wording
from provisioner.schema.types import FieldPath, Wire, path_text, read_fields


@dataclass(frozen=True)
class Statement:
    """The words of one resource.

    Attributes:
        what: what messages call it: ``Stream ORDERS``.
        wording: which words there are.
        given: what the program says; some values may be outputs.
        values: the wire values of those that are none, each other one at its default.
    """

    what: str
    wording: Wording
    given: Mapping[str, Any]
    values: Mapping[str, Wire]

    @property
    def is_known(self) -> bool:
        """Whether no value is an output."""
        return is_plain(self.given)

    @property
    def name(self) -> str | None:
        """What it is called on the server; None where that is an output."""
        name = self.given[self.wording.identity]
        return str(name) if is_plain(name) else None

    @property
    def label(self) -> str | None:
        """Its stream's name, of a consumer that and its own; None where an output is in it."""
        named = (self.given[word] for word in (self.wording.identity, "stream") if word in self.given)
        return self.wording.label(self.given) if all(map(is_plain, named)) else None

    def properties(self) -> Mapping[str, Any]:
        """What goes to Pulumi."""
        return self.wording.in_state(self.values) if self.is_known else self.wording.unread(self.given)

    def declared(self, owner: str | None, *, as_said: bool) -> Declared:
        """What goes to the gate.

        Args:
            owner: project and stack.
            as_said: whether it becomes what the program says, whatever Pulumi's options are.
        """
        judged = self.wording.for_gate(self.values) | {"owner": owner} if as_said and self.is_known else None
        if self.wording is CONSUMER:
            return Declared(what=self.what, label=self.label, consumer=judged)
        policy, before = self.values["on_delete"] or "guard", self.values.get("renamed_from") or None
        return Declared(what=self.what, label=self.label, policy=str(policy), before=before, stream=judged)


def statement(what: str, wording: Wording, given: Mapping[str, Any]) -> Statement:
    """What a program says of a resource, checked as far as it is known.

    Raises:
        ArgumentError: values that cannot be read, or that nothing of the kind can have: one line each.
    """
    problems: list[str] = []

    def report(at: FieldPath, problem: str) -> None:
        problems.append(f"{path_text(at)}: {problem}")

    plain = {name: value for name, value in given.items() if is_plain(value)}
    made = Statement(what, wording, given, read_fields(plain, wording.fields, (), report))
    require_none(what, problems)
    require_none(what, wording.problems(made.values) if made.is_known else ())
    return made
