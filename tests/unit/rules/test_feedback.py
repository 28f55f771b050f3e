"""Whether what streams republish comes back to them: the verdict on each case that was tried on a server."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.rules.feedback import feedback_problems
from provisioner.rules.server_limits import origin_problems
from provisioner.rules.stream_config import lasting_problems
from provisioner.rules.subject_transforms import mapped
from tests.support.configurations import wire_config
from tests.support.feedback import CASES, ENDS, LOOPS


@pytest.mark.parametrize("case", CASES)
def test_the_verdict(case: str) -> None:
    """Refused is what the server refuses, and what would go round and round."""
    happens, streams = CASES[case]
    configs = {stream["name"]: wire_config(**stream) for stream in streams}
    refused = [
        problem
        for config in configs.values()
        for problem in (
            *lasting_problems(config),
            *origin_problems(config, configs),
            *feedback_problems(config, configs),
        )
    ]
    assert (happens != ENDS) == bool(refused)
    looping = [problem for config in configs.values() for problem in feedback_problems(config, configs)]
    assert (happens == LOOPS) == bool(looping)


def test_it_names_the_way() -> None:
    """Once for each stream of the cycle, and not for one that only leads into it."""
    configs = {stream["name"]: wire_config(**stream) for stream in CASES["into a cycle"][1]}
    said = {name: [str(problem) for problem in feedback_problems(config, configs)] for name, config in configs.items()}
    assert {
        "A": ["republish.dest closes a cycle: A -> B -> A; a message would go round and round"],
        "B": ["republish.dest closes a cycle: B -> A -> B; a message would go round and round"],
        "C": [],
    } == said


@pytest.mark.parametrize(
    "republish", [{"src": "a b", "dest": "b.>"}, {"src": "a.*", "dest": "b.$9"}, {"src": "a.>", "dest": "b.x"}]
)
def test_what_the_server_refuses_anyway(republish: dict[str, Any]) -> None:
    """A mapping that is none leads nowhere: it is refused for itself."""
    a = wire_config(name="A", subjects=["a.>"], republish=republish)
    b = wire_config(name="B", subjects=["b.>"], republish={"src": "b.>", "dest": "a.>"})
    assert [] == [*feedback_problems(a, {"B": b})]


def test_many_streams_in_a_row() -> None:
    """A thousand that republish to the next one end."""
    configs = {
        f"S{at}": wire_config(name=f"S{at}", subjects=[f"s.{at}"], republish={"src": f"s.{at}", "dest": f"s.{at + 1}"})
        for at in range(1000)
    }
    assert [] == [*feedback_problems(configs["S0"], configs)]


@pytest.mark.parametrize(
    ("subject", "source", "destination", "expected"),
    [
        ("a.b", "a.*", "x.$1", "x.b"),
        ("a.b.c", "a.*.*", "{{wildcard(2)}}.{{ Wildcard(1) }}", "c.b"),
        ("a.b.c", "a.>", "x.y.>", "x.y.b.c"),
        ("a.>", ">", "x.>", "x.a.>"),
        ("a.b", "a.*", "x.{{partition(3,1)}}", "x.*"),
        ("a.b-c", "a.*", "x.{{split(1,-)}}.y", "x.>"),
        ("a.b", "a.b", "x", "x"),
    ],
)
def test_what_a_mapping_makes(subject: str, source: str, destination: str, expected: str) -> None:
    """A subject, or a pattern where more than the wildcards decides."""
    assert expected == mapped(subject, source, destination)
