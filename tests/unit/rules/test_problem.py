"""A problem knows where it is and what its verdict turns on."""

from __future__ import annotations

import pytest

from provisioner.rules.problem import Problem
from provisioner.schema.types import FieldPath

PROBLEM = Problem(
    ("sources", 0, "filter_subject"), "excludes subject_transforms", (("sources", 0, "subject_transforms"),)
)


def test_text() -> None:
    """The path as one writes it, then what is wrong."""
    assert "sources[0].filter_subject excludes subject_transforms" == str(PROBLEM)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("sources",), True),
        (("sources", 0), True),
        (("sources", 0, "filter_subject"), True),
        (("sources", 0, "subject_transforms", 1, "src"), True),
        (("sources", 0, "name"), False),
        (("sources", 1), False),
        (("subjects",), False),
    ],
)
def test_a_verdict_turns_on_what_is_inside_or_around_its_paths(path: FieldPath, expected: bool) -> None:
    """A block that cannot be read hides what is in it, and an entry that cannot be read is part of its list."""
    assert expected is PROBLEM.turns_on([path])
