"""The pure part of the random campaign: what is drawn is the same each time, and the account of messages is right."""

from __future__ import annotations

import itertools

import pytest

from tests.support.campaign.edits import EDITS, Edit
from tests.support.campaign.ledger import Ack, Excuses, Held, Ledger, dropping, uncopied
from tests.support.campaign.model import FIRST, SUBJECTS, Stream, World
from tests.support.campaign.runner import Outcome
from tests.support.campaign.steps import steps

KEY = ("place", "STREAM")


def _overlaps(world: World) -> set[str]:
    """Subjects that two streams of the world have."""
    pairs = itertools.combinations(world.streams.values(), 2)
    return {subject for one, other in pairs for subject in one.subjects & other.subjects}


def test_a_seed_is_a_campaign() -> None:
    """The same steps each time, and each the same without the others."""
    assert steps(7, range(20)) == steps(7, range(20))
    assert steps(7, [3, 9]) == [steps(7, range(20))[index] for index in (3, 9)]
    assert steps(7, range(20)) != steps(8, range(20))


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_leaves_a_world_that_can_be(name: str) -> None:
    """Whatever it meets: no subject is in two streams, and there is a stream."""
    world = FIRST
    for number in range(200):
        world = Edit(name, number).apply(Edit("move", number).apply(world))
        assert set() == _overlaps(world)
        assert world.streams


def test_each_edit_changes_something() -> None:
    """Of the first world, or of one with a server of its own."""
    own = Edit("to process", 1).apply(FIRST)
    assert [] == [
        name
        for name in EDITS
        if all(Edit(name, number).apply(world) == world for number in range(50) for world in (FIRST, own))
    ]


def test_subjects_in_a_catalogue() -> None:
    """An area that is whole is one wildcard where the stream is wide; a stream without any has one of its own."""
    assert ["a.x", "a.y"] == Stream(frozenset(("a.x", "a.y"))).entry("S")["subjects"]
    assert ["a.*", "b.x"] == Stream(frozenset(("a.x", "a.y", "b.x")), wide=True).entry("S")["subjects"]
    assert ["own.S"] == Stream(frozenset()).entry("S")["subjects"]
    assert len(SUBJECTS) == len(set(SUBJECTS))


@pytest.mark.parametrize(
    ("settings", "drops"),
    [
        ({}, False),
        ({"max_msgs": 1_000_000}, False),
        ({"max_msgs": 20}, True),
        ({"max_msgs": 20, "discard": "new"}, False),
        ({"max_msgs_per_subject": 5, "discard": "new"}, True),
        ({"max_age": "3s"}, True),
        ({"retention": "interest"}, True),
        ({"retention": "workqueue"}, False),
    ],
)
def test_which_streams_drop_messages(settings: dict[str, object], drops: bool) -> None:
    """Those with a limit that is reached, unless what is new is discarded."""
    assert drops == Stream(frozenset(), settings=settings).drops()


@pytest.mark.parametrize(
    ("held", "missing"),
    [
        (Held(0, 1, 3), []),
        (Held(0, 2, 3), [1]),
        (Held(0, 1, 2), [3]),
        (Held(0, 1, 3, frozenset((2,))), [2]),
        (Held(102, 1, 9), [1, 2]),
        (None, [1, 2, 3]),
    ],
)
def test_what_is_missing(held: Held | None, missing: list[int]) -> None:
    """What is outside a stream, deleted in it, or from before it was made."""
    ledger = Ledger()
    for number, sent in ((1, 100.0), (2, 101.0), (3, 102.0)):
        ledger.record(*KEY, Ack(number, number, sent))
    assert missing == [ack.number for ack in ledger.missing(KEY, held)]


def test_a_sequence_given_twice() -> None:
    """The earlier message was in another stream of the name, which is gone; once told, it is forgotten."""
    ledger = Ledger()
    ledger.record(*KEY, Ack(1, 1, 1.0))
    ledger.record(*KEY, Ack(2, 1, 2.0))
    held = Held(0, 1, 1)
    missing = ledger.missing(KEY, held)
    assert [1] == [ack.number for ack in missing]
    ledger.forget(KEY, missing)
    assert [] == ledger.missing(KEY, held)
    assert [2] == [ack.number for ack in ledger.expected(KEY)]


def test_excuses() -> None:
    """An approval holds for what was there before its run ended; a stream that drops messages may miss any."""
    acks = [Ack(1, 1, 10.0), Ack(2, 2, 20.0)]
    assert acks == Excuses().unexcused(KEY, acks)
    assert [acks[1]] == Excuses(approved={"STREAM": 15.0}).unexcused(KEY, acks)
    assert [] == Excuses(dropping={"STREAM"}).unexcused(KEY, acks)
    assert [] == Excuses(volatile={KEY}).unexcused(KEY, acks)


def test_which_streams_may_drop_in_a_step() -> None:
    """Those that did, new ones, and those that hold too little to lose any by it."""
    before = {"DID": True, "FULL": False, "EMPTY": False}
    after = {"DID": False, "FULL": True, "EMPTY": True, "NEW": True}
    assert {"DID", "EMPTY", "NEW"} == dropping(before, after, {"EMPTY"})


@pytest.mark.parametrize(
    ("copies", "drops", "expected"),
    [
        ([], False, [1, 2, 3]),
        ([{1, 2, 3}], False, []),
        ([{1}, {3}], False, [2]),
        ([{2}], True, [1]),
        ([{1}, {3}], True, []),
    ],
)
def test_what_no_copy_has(copies: list[set[int]], drops: bool, expected: list[int]) -> None:
    """Whatever was deleted is in a copy; of a stream that drops messages, what came before those in the copy."""
    acks = [Ack(number, number, float(number)) for number in (1, 2, 3)]
    assert expected == [ack.number for ack in uncopied(acks, copies, drops=drops)]


def test_what_a_run_said() -> None:
    """The names it asks for, and what it says would go."""
    text = """error: A: max_msgs unlimited -> 1 would delete 1,999 of 2,000 messages (…); STREAMS_ALLOW_LOSS=A pulumi up
    B: max_bytes unlimited -> 4.0 KiB would delete 1 to 30 of 30 messages (at most …); STREAMS_ALLOW_LOSS=B pulumi up
    C: leaving the catalogue would delete 1 message (…); STREAMS_ALLOW_LOSS allows it
    D: moving from x to y would leave 7 messages (…) behind; to allow it for one run: STREAMS_ALLOW_LOSS=D pulumi up
    E: max_msgs_per_subject unlimited -> 1 would delete up to 5 of 9 messages (…)"""
    outcome = Outcome(1, text, 1.0, 1)
    assert {"A", "B", "D"} == outcome.asked()
    assert {"A": (1999, 1999), "B": (1, 30), "C": (1, 1), "E": (0, 5)} == outcome.losses()
