"""Values that a preview does not know yet."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.output import UNKNOWN

from provisioner.providers.unknown import is_unknown, known, supposed, unasked, unknown


@pytest.mark.parametrize(
    ("value", "expected"),
    [("x", False), (None, False), ([], False), (UNKNOWN, True), (["x", UNKNOWN], True), ({"a": {"b": UNKNOWN}}, True)],
)
def test_a_part_that_is_unknown_makes_the_whole_so(value: Any, expected: bool) -> None:
    """However deep it is."""
    assert expected == is_unknown(value)


def test_what_is_not_known_is_as_it_was() -> None:
    """A plan supposes that a value stays until it is known."""
    news = {"name": "A", "subjects": [UNKNOWN], "max_age": UNKNOWN}
    assert {"name": "A"} == known(news)
    assert {"subjects", "max_age"} == unknown(news).keys()
    assert {"name": "A", "subjects": ["a"]} == supposed({"name": "B", "subjects": ["a"]}, news)


@pytest.mark.parametrize(
    ("props", "said"),
    [
        ({"max_age": UNKNOWN}, "ORDERS: max_age is not known yet: planned without asking the server"),
        (
            {"subjects": UNKNOWN, "max_age": UNKNOWN},
            "ORDERS: max_age, subjects are not known yet: planned without asking the server",
        ),
        (
            {"subjects": UNKNOWN, "url": UNKNOWN, "server": "main"},
            "server main: url is not known yet: planned without asking the server",
        ),
    ],
)
def test_the_plan_says_what_it_does_not_know(props: dict[str, Any], said: str) -> None:
    """Of the server it is the same line for every resource, so it is shown once."""
    assert said == unasked("ORDERS", props)
