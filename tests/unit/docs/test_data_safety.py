"""The page on data safety is the code's own account of itself."""

from __future__ import annotations

import pytest

from docs.data_safety import CARRIED, IMPOSSIBLE, LOSSES, REPLACEMENTS, Example, fate
from provisioner.plan.diff import Effect
from provisioner.plan.message_loss import LOSS_RULES
from provisioner.schema.fields import BY_NAME, FIELDS
from provisioner.schema.types import Carry, Mutability


@pytest.fixture(autouse=True)
def nothing_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page shows refusals, whatever this shell allows."""
    monkeypatch.delenv("STREAMS_ALLOW_LOSS", raising=False)


def test_every_loss_rule_has_an_example() -> None:
    """Each rule's field is among the changes of an update that is refused."""
    shown = {change.field for example in LOSSES for change in example.plan.changes}
    assert {field for rule in LOSS_RULES for field in rule.fields} - shown == set()


def test_every_field_that_needs_a_new_stream_has_an_example() -> None:
    """The table of fields and the examples agree on what needs a new stream."""
    carried = {field for example in CARRIED for field in example.plan.carries}
    replaced = {field for example in REPLACEMENTS for field in example.plan.replaces}
    needing = [field for field in FIELDS if field.change is not Mutability.FREE and field.name != "name"]
    assert carried == {field.name for field in needing if field.carry is not Carry.NONE}
    assert replaced == {field.name for field in needing if field.carry is not Carry.ANY}


@pytest.mark.parametrize(
    ("examples", "effect"),
    [
        (LOSSES, Effect.UPDATE),
        (CARRIED, Effect.CARRY),
        (REPLACEMENTS, Effect.REPLACE),
        (IMPOSSIBLE, Effect.IMPOSSIBLE),
    ],
)
def test_examples_are_refused_as_their_heading_says(examples: tuple[Example, ...], effect: Effect) -> None:
    """Each example has a message and stands under the right heading."""
    assert {effect} == {example.plan.effect for example in examples}
    assert [] == [example for example in examples if not example.answers]


def test_the_fate_of_messages() -> None:
    """A field without a rule keeps every message."""
    assert fate(BY_NAME["subjects"]) == "kept"
    assert fate(BY_NAME["max_age"]) == "messages past max_age, now or within a minute, are deleted"
