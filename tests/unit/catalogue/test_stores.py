"""``buckets`` and ``objects`` of a catalogue: their words, and what is wrong said in them, with the line."""

from __future__ import annotations

import pytest

from provisioner.catalogue.order import in_order
from provisioner.catalogue.reader import parse
from provisioner.errors import CatalogueError
from provisioner.plan.diff import plan
from provisioner.schema.model import OnDelete

PROBLEMS = {
    "buckets:\n  A: {history: 65}\n": ["2: buckets.A.history: 65 is not between 0 and 64"],
    "buckets:\n  A: {history: 0}\n": ["2: buckets.A.history: is at least 1"],
    "buckets:\n  A: {histroy: 2}\n": ["2: buckets.A.histroy: unknown field; did you mean history?"],
    "buckets:\n  A: {max_msgs_per_subject: 2}\n": ["2: buckets.A.max_msgs_per_subject: unknown field"],
    "buckets:\n  A: {renamed_from: B}\n": [
        "2: buckets.A.renamed_from: is for streams: what is in a bucket or object store stays under its name"
    ],
    "buckets:\n  a b: {}\n": ["2: buckets.a b: is no bucket's name; letters, digits, - and _"],
    "buckets: [A]\n": ["1: buckets: is not a map of buckets; write NAME: and below it the bucket's fields"],
    "buckets:\n  A: {mirror: {name: B}}\n  B: {mirror: {name: A}}\n": [
        "2: buckets.A.mirror: closes a cycle: KV_B takes its messages from KV_A",
        "3: buckets.B.mirror: closes a cycle: KV_A takes its messages from KV_B",
    ],
    "buckets:\n  A: {sources: [{name: B}]}\n  B: {sources: [{name: A}]}\n": [
        "2: buckets.A.sources: closes a cycle: KV_B takes its messages from KV_A",
        "3: buckets.B.sources: closes a cycle: KV_A takes its messages from KV_B",
    ],
    "S: {subjects: [s.*], republish: {src: s.*, dest: $KV.A.*}}\n"
    "buckets:\n  A:\n    republish:\n      src: $KV.A.*\n      dest: s.*\n": [
        "1: S.republish: dest '$KV.A.*' may not hold *; write {{wildcard(1)}} for the first one",
        "4: buckets.A.republish: dest 's.*' may not hold *; write {{wildcard(1)}} for the first one",
    ],
    "S: {subjects: [s.*], republish: {src: s.*, dest: $KV.A.$1}}\n"
    "buckets:\n  A:\n    republish:\n      src: $KV.A.*\n      dest: s.$1\n": [
        "1: S.republish.dest: closes a cycle: S -> KV_A -> S; a message would go round and round",
        "6: buckets.A.republish.dest: closes a cycle: KV_A -> S -> KV_A; a message would go round and round",
    ],
    "buckets:\n  A: {consumers: {c: {}}}\nobjects:\n  O: {consumers: {c: {}}}\n": [
        f"{line}: {path}.consumers: is for streams: clients watch what is in here through consumers that they make for "
        "themselves"
        for line, path in ((2, "buckets.A"), (4, "objects.O"))
    ],
    "S: {subjects: [$KV.A.x]}\nbuckets:\n  A:\n": ["3: buckets.A: '$KV.A.>' overlaps '$KV.A.x' of S (line 1)"],
    "buckets:\n  A: {seed: {.a: x, b: long}, max_value_size: 3}\n": [
        "2: buckets.A.seed..a: is no key; letters, digits and - / _ = with single dots between them",
        "2: buckets.A.seed.b: is larger than max_value_size, 3 bytes",
    ],
    "objects:\n  A: {seed: {a: b}}\n": ["2: objects.A.seed: unknown field; did you mean sealed?"],
    "objects:\n  A: {history: 1}\n": ["2: objects.A.history: unknown field"],
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_what_is_wrong_is_said_in_their_words(text: str) -> None:
    """With the line; one that cannot be read is not reported twice."""
    with pytest.raises(CatalogueError) as refused:
        parse(text, "c")
    assert [f"c:{line}" for line in PROBLEMS[text]] == str(refused.value).splitlines()


def test_defaults_that_are_not_about_messages_are_theirs_too() -> None:
    """What a stream's messages may take says nothing of a bucket's keys."""
    text = (
        "defaults: {on_delete: delete, storage: memory, max_age: 1h, num_replicas: 3}\nbuckets:\n  A: {replicas: 1}\n"
    )
    (spec,) = parse(text, "c").streams
    assert (OnDelete.DELETE, "memory", 0, 1) == (
        spec.on_delete,
        spec.config["storage"],
        spec.config["max_age"],
        spec.config["num_replicas"],
    )


def test_sources_get_the_keys_under_this_buckets_name() -> None:
    """As nats.go has it; who gives transforms says what is meant."""
    text = "buckets:\n  B: {sources: [{name: A}, {name: S, subject_transforms: [{src: s.>, dest: $KV.B.>}]}]}\n  A:\n"
    specs = {spec.name: spec.config for spec in parse(text, "c").streams}
    sources = [(each["name"], each["subject_transforms"]) for each in specs["KV_B"]["sources"]]
    assert [
        ("KV_A", [{"src": "$KV.A.>", "dest": "$KV.B.>"}]),
        ("S", [{"src": "s.>", "dest": "$KV.B.>"}]),
    ] == sources


def test_origins_come_first() -> None:
    """And what captures republished messages; whatever the order of the file; what is not in it counts for nothing."""
    text = "M: {mirror: {name: KV_A}}\nN: {sources: [{name: M}, {name: GONE}]}\nO:\n"
    text += "buckets:\n  B: {mirror: {name: A}}\n  A:\n"
    assert ["KV_A", "M", "N", "O", "KV_B"] == [spec.name for spec in in_order(parse(text, "c").streams)]
    text = "A: {subjects: [a], republish: {src: a, dest: b}}\nB: {subjects: [b], republish: {src: b, dest: $KV.K.b}}\n"
    text += "C: {subjects: [c], republish: {src: c, dest: nobody}}\nbuckets:\n  K:\n"
    assert ["KV_K", "B", "A", "C"] == [spec.name for spec in in_order(parse(text, "c").streams)]
    chain = "".join(f"S{n}: {{mirror: {{name: S{n + 1}}}}}\n" for n in range(2000)) + "S2000: {subjects: [a]}\n"
    assert "S2000" == in_order(parse(chain, "c").streams)[0].name


def test_a_mirror_stays_one() -> None:
    """Without its mirror a bucket would look for its entries under its own name."""
    before, after = (parse(f"buckets:\n  M: {{{words}}}\n", "c").streams[0] for words in ("mirror: {name: A}", ""))
    (problem,) = plan(before.config, after.config).problems
    assert "mirror cannot go: the entries are those of KV_A; make another bucket, with sources" == str(problem)
