"""The server's rules for a configuration by itself: cases that were got wrong once, or are easily got wrong."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.rules.stream_config import (
    CREATE_RULES,
    RULES,
    Rule,
    config_problems,
    create_problems,
    lasting_problems,
)
from provisioner.schema.model import StreamConfig
from tests.support.configurations import config, configurations

ORIGIN: dict[str, Any] = {"name": "ORIGIN"}

ALL: dict[str, Any] = {"src": "", "dest": "x.>"}
TWICE = "sources[1] ORIGIN is listed twice, first as sources[0]"
READER: dict[str, Any] = {"name": "c", "deliver_subject": "d"}

CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"sources": [ORIGIN, ORIGIN]}, ["sources[1] ORIGIN is listed twice, first as sources[0]"]),
    (
        {"sources": [ORIGIN, {**ORIGIN, "filter_subject": ">"}]},
        ["sources[1] ORIGIN is listed twice, first as sources[0]"],
    ),
    ({"sources": [ORIGIN, {**ORIGIN, "external": {}}]}, []),
    ({"sources": [{**ORIGIN, "subject_transforms": [ALL, ALL]}]}, []),
    ({"sources": [{**ORIGIN, "subject_transforms": [ALL, {"src": "a.>", "dest": "x.>"}]}]}, []),
    (
        {"sources": [{**ORIGIN, "subject_transforms": [{"src": ">", "dest": "x.>"}, ALL]}]},
        ["sources[0].subject_transforms[0] src '>' overlaps src ''"],
    ),
    (
        {"mirror": {**ORIGIN, "subject_transforms": [ALL, ALL]}},
        ["mirror.subject_transforms[1] src '' overlaps src ''"],
    ),
    ({"mirror": {**ORIGIN, "subject_transforms": [ALL, {"src": "a.>", "dest": "x.>"}]}}, []),
    (
        {"sources": [{**ORIGIN, "consumer": READER}, {**ORIGIN, "consumer": READER, "subject_transforms": [ALL]}]},
        ["sources[1] ORIGIN has the consumer of sources[0]"],
    ),
    ({"sources": [ORIGIN, {**ORIGIN, "filter_subject": "a"}]}, []),
    ({"subjects": [">"]}, ["subjects[0] '>' overlaps the server's own subjects; narrow it or set no_ack: true"]),
    ({"subjects": [">"], "no_ack": True}, []),
    ({"subjects": ["$JS.EVENT.>"]}, []),
    ({"subjects": ["a", "a"]}, ["subjects[1] 'a' overlaps 'a'"]),
    ({"mirror": ORIGIN, "republish": {"dest": ">"}}, []),
    ({"allow_msg_counter": True, "subject_delete_marker_ttl": "1s"}, []),
    ({"max_age": "1m", "duplicate_window": "2m"}, ["duplicate_window must not be longer than max_age"]),
]


@pytest.mark.parametrize(("fields", "expected"), CASES)
def test_the_rules(fields: dict[str, Any], expected: list[str]) -> None:
    """What the server would say, in words that name the field."""
    assert expected == [str(problem) for problem in config_problems(config(**fields))]


def test_what_only_a_new_stream_is_refused() -> None:
    """A catalogue may say sealed of a stream that is there; a create may not."""
    assert [] == lasting_problems(config(sealed=True))
    assert [("sealed",)] == [problem.path for problem in create_problems(config(sealed=True))]
    assert [("mirror_direct",)] == [problem.path for problem in lasting_problems(config(mirror_direct=True))]


class _Recording(dict[str, Any]):
    """A configuration that knows which of its fields were asked for."""

    def __init__(self, values: StreamConfig) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)


@given(st.sampled_from([*RULES, *CREATE_RULES]), configurations())
def test_a_rule_names_the_fields_its_verdict_turns_on(rule: Rule, wanted: StreamConfig) -> None:
    """No verdict is drawn from a field that the rule does not name: a catalogue relies on it."""
    recording = _Recording(wanted)
    rule.broken(cast("StreamConfig", recording))
    assert recording.read <= {rule.field, *rule.needs}
