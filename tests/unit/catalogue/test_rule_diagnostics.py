"""Problems with the server's rules and with other streams, with the lines a user reads."""

import pytest

from provisioner.catalogue.reader import parse
from provisioner.errors import CatalogueError

# Each case: what it is, the text, and the lines reported, each without its file.
RULES = [
    (
        "a name the server refuses",
        "a b: {}\n",
        ["1: a b.name: must not be empty or hold spaces, '.', '*', '>', '/' or '\\'"],
    ),
    (
        "a name that breaks the line",
        '"a\\nb": {}\n',
        ["1: a\\nb.name: must not be empty or hold spaces, '.', '*', '>', '/' or '\\'"],
    ),
    (
        "a key-value bucket",
        "KV_a: {}\n",
        ["1: KV_a.name: KV_ is reserved for key-value buckets; write it as a under buckets, or choose another name"],
    ),
    (
        "an object store",
        "OBJ_a: {}\n",
        ["1: OBJ_a.name: OBJ_ is reserved for object buckets; write it as a under objects, or choose another name"],
    ),
    (
        "the server's metadata",
        "A:\n  metadata:\n    team: a\n    _nats.level: '1'\n",
        ["4: A.metadata._nats.level: '_nats.level' is the server's own; take it out"],
    ),
    (
        "an invalid subject, on its line",
        "A:\n  subjects:\n    - a\n    - b..c\n",
        ["4: A.subjects[1]: 'b..c' is not a valid subject"],
    ),
    (
        "an old name that is no name",
        "A: {subjects: [a], renamed_from: 'x.y'}\n",
        ["1: A.renamed_from: 'x.y' is not a stream's name"],
    ),
    (
        "an old name that is still there",
        "A: {subjects: [a]}\nB: {subjects: [b], renamed_from: A}\n",
        ["2: B.renamed_from: A is still in the catalogue (line 1); take one of the two out"],
    ),
    (
        "an old name for two",
        "A: {subjects: [a], renamed_from: X}\nB: {subjects: [b], renamed_from: X}\n",
        ["2: B.renamed_from: X has become A (line 1) already"],
    ),
    (
        "an old name for all",
        "defaults: {renamed_from: X}\nA: {subjects: [a]}\n",
        ["1: defaults.renamed_from: belongs to one stream, not in defaults"],
    ),
    (
        "overlap within",
        "A:\n  subjects:\n    - a.*\n    - a.b\n",
        ["4: A.subjects[1]: 'a.b' overlaps 'a.*'"],
    ),
    (
        "overlap between",
        "A:\n  subjects:\n    - a.*\nB:\n  subjects:\n    - b\n    - a.b\n",
        ["7: B.subjects[1]: 'a.b' overlaps 'a.*' of A (line 1)"],
    ),
    (
        "overlap with a stream that has its name for a subject",
        "A:\nB: {subjects: ['A']}\n",
        ["2: B.subjects[0]: 'A' overlaps 'A' of A (line 1)"],
    ),
    (
        "overlap with many",
        "A: {subjects: [a]}\nB: {subjects: [b]}\nC: {subjects: [c]}\nD: {}\nE: {subjects: ['*']}\n",
        ["5: E.subjects[0]: '*' overlaps 'D' of D (line 4), 'c' of C (line 3), 'b' of B (line 2) and 1 more"],
    ),
    (
        "overlap beside a subject that cannot be read",
        "A: {subjects: [5, a.>]}\nB: {subjects: [a.b]}\n",
        [
            "1: A.subjects[0]: 5 is not text; put it in quotes",
            "2: B.subjects[0]: 'a.b' overlaps 'a.>' of A (line 1)",
        ],
    ),
    (
        "overlap of subjects that have the name of an unreadable field",
        "A: {max_age: x, subjects: [max_age, max_age]}\n",
        [
            "1: A.max_age: 'x' is not a duration; write it like 7d, 1h30m or 500ms",
            "1: A.subjects[1]: 'max_age' overlaps 'max_age'",
        ],
    ),
    (
        "entries after one that cannot be read keep their places",
        "A:\n  subjects:\n    - 5\n    - b..c\n    - a\n    - a\n",
        [
            "3: A.subjects[0]: 5 is not text; put it in quotes",
            "4: A.subjects[1]: 'b..c' is not a valid subject",
            "6: A.subjects[3]: 'a' overlaps 'a'",
        ],
    ),
    (
        "what turns on a field that cannot be read waits for it",
        "A: {discard: neu, discard_new_per_subject: true, max_msgs_per_subject: 1}\n",
        ["1: A.discard: 'neu' is not one of old, new; did you mean new?"],
    ),
    (
        "what subjects that cannot be read capture is not known",
        "A: {subjects: [5]}\nB: {subjects: [A]}\n",
        ["1: A.subjects[0]: 5 is not text; put it in quotes"],
    ),
    (
        "a source listed twice, and a filter, each on its line",
        "A:\n  sources:\n    - name: x\n    - name: x\n    - name: y\n      filter_subject: a..b\n",
        [
            "4: A.sources[1]: x is listed twice, first as sources[0]",
            "6: A.sources[2].filter_subject: 'a..b' is not a valid subject",
        ],
    ),
    (
        "an impossible combination",
        "A:\n  max_age: 1m\n  duplicate_window: 2m\n",
        ["3: A.duplicate_window: must not be longer than max_age"],
    ),
    (
        "mirrors in a circle",
        "A: {mirror: {name: B}}\nB: {mirror: {name: A}}\n",
        [
            "1: A.mirror: closes a cycle: B takes its messages from A",
            "2: B.mirror: closes a cycle: A takes its messages from B",
        ],
    ),
    (
        "a mirror too small for its origin",
        "A: {max_msg_size: 1KiB}\nB: {mirror: {name: A}, max_msg_size: 1KB}\n",
        ["2: B.max_msg_size: is smaller than the 1KiB of its origin A"],
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [pytest.param(*case, id=what) for what, *case in RULES],
)
def test_each_problem_is_reported_with_its_line(text: str, expected: list[str]) -> None:
    """The error's text is exactly these lines, in the file's order."""
    with pytest.raises(CatalogueError) as caught:
        parse(text, "c.yaml")
    assert str(caught.value).splitlines() == [f"c.yaml:{line}" for line in expected]
