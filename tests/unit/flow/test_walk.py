"""What is told of a walk, without one."""

from __future__ import annotations

import pytest

from provisioner.flow.hops import Hop
from provisioner.flow.real import full
from provisioner.flow.walk import Result, problems
from provisioner.schema.config import config_of
from provisioner.schema.model import StreamInfo

ONE = Hop("a", "s", "S", "b", "b")
TWO = Hop("b", "t", "T", "c", "c")


def test_each_problem_is_told_once() -> None:
    """With the first hop that has it, and how many more do."""
    results = [Result(ONE, problem="is down"), Result(TWO, problem="is down"), Result(TWO, problem="x"), Result(ONE)]
    assert ["a -> S/b and 1 more hop: is down", "b -> T/c: x"] == problems(results)


@pytest.mark.parametrize(
    ("config", "messages", "size", "expected"),
    [
        ({"discard": "new", "max_msgs": 3}, 2, 0, None),
        ({"discard": "new", "max_msgs": 3}, 3, 0, "S is full: max_msgs 3, and discard is new"),
        ({"max_msgs": 3}, 3, 0, None),
        (
            {"discard": "new", "max_bytes": 5000},
            1,
            4000,
            "S is full: 4,000 of max_bytes 5,000, and discard is new",
        ),
        ({"discard": "new", "max_bytes": 5000}, 1, 3000, None),
        ({"discard": "new"}, 10**9, 10**12, None),
        ({"sealed": True}, 0, 0, "S is sealed"),
    ],
)
def test_a_stream_that_takes_nothing_more(
    config: dict[str, object], messages: int, size: int, expected: str | None
) -> None:
    """Only where it discards new messages; one that discards old ones always takes more."""
    values = {**config_of({"name": "S"}), **config}
    info = StreamInfo(config=config_of(values), created="", messages=messages, bytes=size)
    assert expected == full(info)
