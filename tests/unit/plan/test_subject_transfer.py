"""Moves of subjects as lists of steps, and what they leave behind after each of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.plan.subject_transfer import Acquire, Release, Step, Subjects, overlap, plan_transfer

Estate = dict[str, Subjects]


@pytest.mark.parametrize(
    ("first", "held", "wanted", "expected"),
    [
        pytest.param("A", {}, {"A": ("a",)}, [Acquire("A")], id="nothing to move"),
        pytest.param(
            "A",
            {"A": ("a", "b")},
            {"A": ("b",), "B": ("a",)},
            [Acquire("A"), Acquire("B")],
            id="the giver first",
        ),
        pytest.param(
            "B",
            {"A": ("a", "b")},
            {"A": ("b",), "B": ("a",)},
            [Release("A", ("b",)), Acquire("B"), Acquire("A")],
            id="the taker first",
        ),
        pytest.param(
            "A",
            {"A": ("a",), "B": ("b",)},
            {"A": ("b",), "B": ("a",)},
            [Release("B", ("_released.B",)), Acquire("A"), Acquire("B")],
            id="a swap",
        ),
        pytest.param(
            "A",
            {"A": ("a",), "B": ("b",), "C": ("c",)},
            {"A": ("b",), "B": ("c",), "C": ("a",)},
            [Release("B", ("_released.B",)), Acquire("A"), Acquire("C"), Acquire("B")],
            id="a rotation",
        ),
        pytest.param(
            "T",
            {"H": ("x.>",)},
            {"H": ("x.b",), "T": ("x.a",)},
            [Release("H", ("x.b",)), Acquire("T"), Acquire("H")],
            id="a wildcard split keeps what is left",
        ),
        pytest.param(
            "NEW",
            {"OLD": ("a",)},
            {"NEW": ("a",)},
            [Release("OLD", ("_released.OLD",)), Acquire("NEW")],
            id="from a stream that goes",
        ),
    ],
)
def test_steps(first: str, held: Estate, wanted: Estate, expected: list[Step]) -> None:
    """Each release stands right before the acquisition it makes room for."""
    assert expected == list(plan_transfer(first, held, wanted))


def _apart(shares: list[tuple[str, str]]) -> Estate:
    estate: Estate = {}
    for name, subject in shares:
        if not any(overlap([subject], theirs) for theirs in estate.values()):
            estate[name] = (*estate.get(name, ()), subject)
    return estate


def estates() -> st.SearchStrategy[Estate]:
    """Up to four streams whose subjects do not overlap."""
    pool = ("a", "b", "c", "x.1", "x.2", "x.*", "x.>", "y.>")
    shares = st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from(pool)), max_size=6)
    return shares.map(_apart)


@given(held=estates(), wanted=estates(), data=st.data())
def test_whatever_moves(held: Estate, wanted: Estate, data: st.DataObject) -> None:
    """No step leaves two streams with one subject; at the end every stream that was touched has its own."""
    if not wanted:
        return
    first = data.draw(st.sampled_from(sorted(wanted)))
    now = dict(held)
    steps = plan_transfer(first, held, wanted)
    for step in steps:
        now[step.stream] = step.subjects if isinstance(step, Release) else wanted[step.stream]
        clashes = [(one, other) for one in now for other in now if one < other and overlap(now[one], now[other])]
        assert [] == clashes, steps
    touched = {step.stream for step in steps} & wanted.keys()
    assert {name: wanted[name] for name in touched} == {name: now[name] for name in touched}
    assert now[first] == wanted[first]
