"""The server's rules for a configuration by itself: cases that were got wrong once, or are easily got wrong."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.rules.stream_config import create_problems, lasting_problems, problems
from tests.support.configurations import config

ORIGIN: dict[str, Any] = {"name": "ORIGIN"}

CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"sources": [ORIGIN, ORIGIN]}, ["sources ORIGIN: is there twice"]),
    ({"sources": [ORIGIN, {**ORIGIN, "filter_subject": ">"}]}, ["sources ORIGIN: is there twice"]),
    ({"sources": [ORIGIN, {**ORIGIN, "external": {}}]}, []),
    ({"sources": [ORIGIN, {**ORIGIN, "filter_subject": "a"}]}, []),
    ({"subjects": [">"]}, ["subjects '>' reaches the server's own subjects; that needs no_ack"]),
    ({"subjects": [">"], "no_ack": True}, []),
    ({"subjects": ["$JS.EVENT.>"]}, []),
    ({"subjects": ["a", "a"]}, ["subjects 'a' overlaps 'a'"]),
    ({"mirror": ORIGIN, "republish": {"dest": ">"}}, []),
    ({"allow_msg_counter": True, "subject_delete_marker_ttl": "1s"}, []),
    ({"max_age": "1m", "duplicate_window": "2m"}, ["duplicate_window must not be longer than max_age"]),
]


@pytest.mark.parametrize(("fields", "expected"), CASES)
def test_the_rules(fields: dict[str, Any], expected: list[str]) -> None:
    """What the server would say, in words that name the field."""
    assert expected == [str(problem) for problem in problems(config(**fields))]


def test_what_only_a_new_stream_is_refused() -> None:
    """A catalogue may say sealed of a stream that is there; a create may not."""
    assert [] == lasting_problems(config(sealed=True))
    assert ["sealed"] == [problem.field for problem in create_problems(config(sealed=True))]
    assert ["mirror_direct"] == [problem.field for problem in lasting_problems(config(mirror_direct=True))]
