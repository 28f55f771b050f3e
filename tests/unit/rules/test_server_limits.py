"""A configuration among the other streams of its server."""

from __future__ import annotations

import pytest

from provisioner.rules.server_limits import surrounding_problems
from provisioner.schema.model import ServerFacts
from tests.support.configurations import config
from tests.support.steps import steps


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (["a"], ["b"], []),
        (["a", "b.x"], ["b.>"], ["subjects[1] 'b.x' overlaps 'b.>' of stream OTHER"]),
        ([], ["ORDERS"], ["subjects 'ORDERS' overlaps 'ORDERS' of stream OTHER"]),
        (["OTHER"], [], ["subjects[0] 'OTHER' overlaps 'OTHER' of stream OTHER"]),
    ],
)
def test_overlaps(mine: list[str], theirs: list[str], expected: list[str]) -> None:
    """Each with the entry it is about; a stream without subjects captures its name."""
    facts = ServerFacts(others={"OTHER": config("OTHER", subjects=theirs)})
    assert expected == [str(problem) for problem in surrounding_problems(config(subjects=mine), facts)]


def test_the_work_grows_with_the_number_of_subjects() -> None:
    """Ten times as many on both sides take about ten times the steps, not a hundred times."""
    few, many = (_work(count) for count in (100, 1000))
    assert many < 15 * few


def _work(count: int) -> int:
    own = config(subjects=[f"a.{number}" for number in range(count)])
    facts = ServerFacts(others={"OTHER": config("OTHER", subjects=[f"b.{number}" for number in range(count)])})
    return steps(lambda: surrounding_problems(own, facts))


def test_an_origin_with_larger_messages() -> None:
    """Sizes are written as in a catalogue."""
    facts = ServerFacts(others={"ORIGIN": config("ORIGIN", max_msg_size="1MiB")})
    mirror = config(mirror={"name": "ORIGIN"}, max_msg_size="1KiB")
    assert ["max_msg_size is smaller than the 1MiB of its origin ORIGIN"] == [
        str(problem) for problem in surrounding_problems(mirror, facts)
    ]


def test_a_cycle() -> None:
    """The last stream on the way round is named."""
    facts = ServerFacts(others={"B": config("B", sources=[{"name": "ORDERS"}])})
    assert ["sources closes a cycle: B takes its messages from ORDERS"] == [
        str(problem) for problem in surrounding_problems(config(sources=[{"name": "B"}]), facts)
    ]
