"""Every problem a catalogue can have, with the lines a user reads."""

import pytest

from provisioner.catalogue.reader import parse
from provisioner.errors import CatalogueError

NO_STREAMS = "1: no streams; write NAME: and below it the stream's fields, indented"
NO_MAP = "1: is not a map of streams; write NAME: and below it the stream's fields, indented"
INDICATORS = "text that begins with one of * & ! @ ` > | needs quotes"

# Each case: what it is, the text, and the lines reported, each without its file.
SYNTAX = [
    ("empty", "", [NO_STREAMS]),
    ("only a comment", "# nothing\n", [NO_STREAMS]),
    ("only defaults", "defaults: {max_age: 7d}\n", [NO_STREAMS]),
    ("a list", "- A\n- B\n", [NO_MAP]),
    ("an empty list", "[]\n", [NO_MAP]),
    ("a word", "hello\n", [NO_MAP]),
    ("not closed", "A:\n  subjects: [a\n", ["3: did not find expected ',' or ']'"]),
    (
        "a colon too many",
        "A:\n  purpose: a: b\n",
        ["2: mapping values are not allowed in this context"],
    ),
    (
        "a tab",
        "A:\n\tmax_age: 7d\n",
        ["2: found character that cannot start any token; indent with spaces, not with tabs"],
    ),
    (
        "a bare wildcard",
        "A:\n  subjects:\n    - *.orders\n",
        [f"3: did not find expected alphabetic or numeric character; {INDICATORS}"],
    ),
    (
        "a bare > in brackets",
        "A:\n  subjects: [>]\n",
        [f"2: found character that cannot start any token; {INDICATORS}"],
    ),
    (
        "a bare >",
        "A:\n  no_ack: true\n  subjects:\n    - >\n",
        ["4: A.subjects[0]: > begins a block of text here; put it in quotes"],
    ),
    (
        "two documents",
        "A: {}\n---\nB: {}\n",
        ["2: a second document begins here; a file is one document"],
    ),
    ("a control character", "A:\n  purpose: \x07\n", ["2: character U+0007 is not allowed"]),
    (
        "half a character",
        'A: {purpose: "\\ud800"}\n',
        ["1: found invalid Unicode character escape code"],
    ),
    ("a key that is a list", "A: {}\n? [a]\n: {}\n", ["2: a key must be text"]),
    ("too deep", "A:\n  subjects: " + "[" * 30, ["2: is nested too deeply"]),
    (
        "an alias",
        "A:\n  subjects: [*orders]\n",
        ["2: A.subjects[0]: aliases (*orders) are not supported; text that begins with * needs quotes"],
    ),
    (
        "an anchor",
        "A: &a\n  max_age: 7d\n",
        ["1: A: anchors (&a) are not supported; shared fields go under defaults"],
    ),
    (
        "a merge key",
        "A:\n  <<: {max_age: 7d}\n",
        ["2: A: merge keys (<<) are not supported; shared fields go under defaults"],
    ),
    ("a tag", "A: {purpose: !secret x}\n", ["1: A.purpose: tags (!secret) are not supported"]),
]

SHAPE = [
    ("a stream twice", "A: {}\nB: {}\nA: {}\n", ["3: A: duplicate key, first defined on line 1"]),
    (
        "a field twice",
        "A:\n  max_age: 7d\n  max_age: 8d\n",
        ["3: A.max_age: duplicate key, first defined on line 2"],
    ),
    (
        "a nested field twice",
        "A:\n  sources:\n    - name: x\n      name: y\n",
        ["4: A.sources[0].name: duplicate key, first defined on line 3"],
    ),
    (
        "a stream that is no block",
        "A: 7d\nB: [max_age]\n",
        [
            "1: A: is not a block of fields; write each as field: value, on its own line",
            "2: B: is not a block of fields; write each as field: value, on its own line",
        ],
    ),
    (
        "a level called streams",
        "streams:\n  A: {max_age: 7d}\n",
        ["1: streams: is no stream; remove this level and begin each stream's name at the left margin"],
    ),
    (
        "a slip in the key of the shared fields",
        "default: {max_age: 7d}\nA: {subjects: [a]}\n",
        [
            "1: default: has no subjects; did you mean defaults? to capture its own name, write subjects: [default]",
        ],
    ),
    (
        "a stream called ignore",
        "ignore: {subjects: [a]}\nA: {subjects: [a]}\n",
        ["1: ignore: is a list of patterns of streams that status leaves out; choose another name for a stream"],
    ),
    (
        "patterns that are none",
        "ignore:\n  - 5\n  - ''\nA: {subjects: [a]}\n",
        [
            "2: ignore[0]: 5 is not text; put it in quotes",
            "3: ignore[1]: is empty; write a stream's name or a pattern like 'TEMP_*'",
        ],
    ),
    ("only patterns", "ignore: [A]\n", [NO_STREAMS]),
    (
        "an unknown field",
        "A:\n  max_agee: 7d\n",
        ["2: A.max_agee: unknown field; did you mean max_age?"],
    ),
    (
        "another spelling",
        "A:\n  Max Bytes: 7d\n",
        ["2: A.Max Bytes: unknown field; did you mean max_bytes?"],
    ),
    (
        "a name inside",
        "A:\n  name: A\n",
        ["2: A.name: does not go here: the key is the stream's name"],
    ),
    (
        "defaults that cannot be shared",
        "defaults:\n  subjects: [a]\n  max_agee: 1d\nA: {}\n",
        [
            "2: defaults.subjects: belongs to one stream, not in defaults",
            "3: defaults.max_agee: unknown field; did you mean max_age?",
        ],
    ),
]

VALUES = [
    (
        "a bad unit",
        "A: {max_age: 1y}\n",
        ["1: A.max_age: unknown unit 'y'; use one of d, h, m, s, ms, us, ns, w, µs, μs"],
    ),
    (
        "no unit",
        "A: {max_age: 604800}\n",
        ["1: A.max_age: 604800 has no unit; write it like 7d, 1h30m or 500ms"],
    ),
    ("a 1.1 boolean", "A: {no_ack: yes}\n", ["1: A.no_ack: 'yes' is neither true nor false"]),
    ("a flag for a number", "A: {max_msgs: false}\n", ["1: A.max_msgs: false is not a whole number"]),
    (
        "a word for a list",
        "A: {subjects: a.b}\n",
        ["1: A.subjects: is not a list; begin each entry with a dash"],
    ),
    (
        "nested, each on its line",
        "A:\n  sources:\n    - name: x\n    - name: y\n      opt_start_time: never\n    - filter: z\n",
        [
            "5: A.sources[1].opt_start_time: 'never' is not a time; write it like 2026-01-31T12:00:00Z",
            "6: A.sources[2]: needs name",
            "6: A.sources[2].filter: unknown field; did you mean filter_subject?",
        ],
    ),
    (
        "a wrong default is reported once",
        "defaults:\n  discard: neu\nA: {subjects: [a]}\nB: {subjects: [b], discard_new_per_subject: true}\n",
        [
            "2: defaults.discard: 'neu' is not one of old, new; did you mean new?",
            "4: B.discard_new_per_subject: needs max_msgs_per_subject",
        ],
    ),
]


@pytest.mark.parametrize("name", ["streams", "Streams", "stream"])
def test_a_level_around_the_streams_is_no_stream(name: str) -> None:
    """Without subjects of its own, a key that looks like one says what to do."""
    with pytest.raises(CatalogueError) as caught:
        parse(f"{name}: {{max_age: 7d}}\nA: {{subjects: [a]}}", "c.yaml")
    assert str(caught.value) == (
        f"c.yaml:1: {name}: has no subjects; to put streams in it, remove this level and begin each stream's name at "
        f"the left margin; to capture its own name, write subjects: [{name}]"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [pytest.param(*case, id=what) for what, *case in (*SYNTAX, *SHAPE, *VALUES)],
)
def test_each_problem_is_reported_with_its_line(text: str, expected: list[str]) -> None:
    """The error's text is exactly these lines, in the file's order."""
    with pytest.raises(CatalogueError) as caught:
        parse(text, "c.yaml")
    assert str(caught.value).splitlines() == [f"c.yaml:{line}" for line in expected]


def test_all_problems_are_reported_at_once() -> None:
    """Reading, rules and other streams: one run reports all of them."""
    text = (
        "A:\n  max_agee: 7d\n  subjects:\n    - a.>\n  max_bytes: 10GiBi\n  max_age: 1ms\n"
        "B:\n  subjects: [a.b]\n  retention: limit\n  metadata: {_nats.x: y}\nB: {}\n"
    )
    with pytest.raises(CatalogueError) as caught:
        parse(text, "c.yaml")
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "A.max_agee",
        "A.max_bytes",
        "A.max_age",
        "B.subjects[0]",
        "B.retention",
        "B.metadata._nats.x",
        "B",
    ]


def test_a_long_value_is_cut() -> None:
    """One problem is one line that can be read."""
    with pytest.raises(CatalogueError) as caught:
        parse(f"A: {{max_age: {'x' * 100_000}}}", "c.yaml")
    assert len(str(caught.value)) < 400
