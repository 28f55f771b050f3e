"""Whose change it was: what a plan says of a stream that somebody else has changed."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.plan.policies import foreign_change_note
from provisioner.schema.model import StreamInfo, StreamSpec
from tests.support.configurations import config

WEEK: dict[str, Any] = {"subjects": ["o.a", "o.b"], "max_age": "7d"}


def _note(last_set: dict[str, Any], live: dict[str, Any], wanted: dict[str, Any]) -> str:
    return foreign_change_note(StreamSpec(config(**wanted)), StreamInfo(config(**live), ""), config(**last_set))


def test_somebody_elses_change_is_named() -> None:
    """Each field with what the last up set and what is there now."""
    live = {"subjects": ["o.a", "theirs"], "max_age": "1d", "max_msgs": 5}
    assert _note(WEEK, live, WEEK) == (
        "ORDERS was changed by somebody else since our last up "
        '(subjects: ["o.a", "o.b"] -> ["o.a", "theirs"], max_age: 7d -> 1d, max_msgs: unlimited -> 5), '
        "or by a run of ours that was cut short"
    )


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        (WEEK, WEEK | {"max_age": "1d"}),
        (WEEK | {"max_age": "1d"}, WEEK | {"max_age": "1d"}),
        (WEEK | {"subjects": ["_released.ORDERS"]}, WEEK),
        (WEEK | {"subjects": ["o.b", "o.c"]}, WEEK | {"subjects": ["o.c", "o.d"]}),
    ],
    ids=["the catalogue has changed", "an up was killed", "between release and acquire", "between two subjects"],
)
def test_our_own_change_is_not(live: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Neither one that is still to come, nor one whose up was killed before it was written down."""
    assert _note(WEEK, live, wanted) == ""


def test_a_subject_that_somebody_took_away() -> None:
    """While the catalogue's subjects stay the same, no run of ours leaves fewer."""
    assert "subjects: " in _note(WEEK, WEEK | {"subjects": ["o.a"]}, WEEK)
