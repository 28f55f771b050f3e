"""Subjects: validity, overlap, containment, and the index of many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.rules.subject_index import SubjectIndex, overlaps
from provisioner.rules.subjects import contains, is_literal, is_valid, meet, overlap
from tests.support.steps import steps

TOKENS = st.sampled_from(["a", "b", "*"])
LITERALS = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=4).map(".".join)
PATTERNS = st.builds(
    lambda tokens, tail: ".".join([*tokens, *tail]) or "a",
    st.lists(TOKENS, max_size=3),
    st.sampled_from([[], [">"], ["a"]]),
)


@pytest.mark.parametrize("subject", ["a", "a.b", "*", "a.*.b", ">", "a.>", "a*b", "a>b", "$JS.x", "ä"])
def test_valid(subject: str) -> None:
    """Wildcards are whole tokens, > only the last."""
    assert is_valid(subject)


@pytest.mark.parametrize("subject", ["", ".", "a.", ".a", "a..b", "a b", "a\tb", ">.a", "a.>.b", "a\n"])
def test_invalid(subject: str) -> None:
    """Empty tokens, white space and > in the middle are refused."""
    assert not is_valid(subject)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "a.b", False),
        ("*", "a", True),
        ("*", "a.b", False),
        (">", "a.b", True),
        ("a.>", "a", False),
        ("a.>", "a.b.c", True),
        ("a.*", "*.b", True),
        ("a.*.c", "*.b.d", False),
        ("a.*.>", "a.b", False),
        ("a.b.>", "a.>", True),
    ],
)
def test_overlap(one: str, other: str, *, expected: bool) -> None:
    """Two subjects overlap when one message could match both, in either order."""
    assert overlap(one, other) is overlap(other, one) is expected


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        ("a.*", "a.b", True),
        ("a.*", "a.>", False),
        ("a.*", "a.*", True),
        ("a.b", "a.*", False),
        ("*.*", "a.b", True),
        (">", "a.>", True),
    ],
)
def test_contains(outer: str, inner: str, *, expected: bool) -> None:
    """One subject contains another when it matches all the other matches."""
    assert contains(outer, inner) is expected


def test_literals_have_no_wildcards() -> None:
    """A token that merely holds a star is no wildcard."""
    assert [is_literal(subject) for subject in ("a.b", "a.*", "a.>", "a*")] == [True, False, False, True]


def test_overlaps_are_pairs_of_positions() -> None:
    """The later position first, invalid subjects aside."""
    assert [(3, 0)] == list(overlaps(["a.*", "b", "a..b", "a.b"]))


@given(st.lists(PATTERNS, max_size=12))
def test_each_subject_that_overlaps_an_earlier_one_is_told(many: list[str]) -> None:
    """Once, with one that it really overlaps."""
    pairs = list(overlaps(many))
    assert all(later > earlier and overlap(many[later], many[earlier]) for later, earlier in pairs)
    expected = [at for at, each in enumerate(many) if any(overlap(each, before) for before in many[:at])]
    assert expected == [later for later, _earlier in pairs]


@pytest.mark.parametrize("pattern", ["a.{}", "a.{}.>", "*.{}", "a.{}.*.b", "a"])
def test_the_work_grows_with_the_number_of_subjects(pattern: str) -> None:
    """Ten times as many subjects take about ten times the steps, not a hundred times."""
    few, many = ([pattern.format(number) for number in range(count)] for count in (200, 2000))
    assert steps(lambda: list(overlaps(many))) < 15 * steps(lambda: list(overlaps(few)))


@given(PATTERNS, PATTERNS, LITERALS)
def test_a_common_literal_is_an_overlap(one: str, other: str, literal: str) -> None:
    """Whenever one literal matches both, they overlap."""
    assert overlap(one, other) or not (contains(one, literal) and contains(other, literal))


@given(PATTERNS, PATTERNS)
def test_containing_is_overlapping(one: str, other: str) -> None:
    """What contains another overlaps it."""
    assert overlap(one, other) or not contains(one, other)


@given(st.lists(PATTERNS, max_size=12), PATTERNS)
def test_the_index_finds_what_comparing_finds(many: list[str], subject: str) -> None:
    """The index answers as comparing with every subject does."""
    index = SubjectIndex[int]()
    for owner, each in enumerate(many):
        index.add(each, owner)
    assert sorted(index.overlapping(subject)) == [at for at, each in enumerate(many) if overlap(each, subject)]


def test_the_index_takes_long_subjects() -> None:
    """Depth is no recursion."""
    index, subject = SubjectIndex[str](), "a." * 50_000 + "a"
    index.add(subject, "owner")
    assert list(index.overlapping(">")) == list(index.overlapping(subject)) == ["owner"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.*", "a.b", "a.b"),
        ("a.*", "*.b", "a.b"),
        ("a.>", "a.*.c", "a.*.c"),
        (">", "a.>", "a.>"),
        ("a.>", "*.b.>", "a.b.>"),
        ("a.*", "a.>", "a.*"),
        ("a", "a", "a"),
        ("a.>", "a", None),
        ("a.*", "b.*", None),
    ],
)
def test_meet(one: str, other: str, expected: str | None) -> None:
    """What matches both, whichever comes first."""
    assert (expected, expected) == (meet(one, other), meet(other, one))


@given(PATTERNS, PATTERNS, LITERALS)
def test_a_subject_matches_the_meeting_if_it_matches_both(one: str, other: str, subject: str) -> None:
    """Nothing is added and nothing is lost."""
    met = meet(one, other)
    assert (contains(one, subject) and contains(other, subject)) == (met is not None and contains(met, subject))
