"""Changes of the catalogue, through the engine: what the plan says is what happens."""

from __future__ import annotations

import pytest

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project
from tests.support.configurations import config


@pytest.fixture
def own(external: Project) -> Project:
    """A project with a catalogue of its own."""
    external.configure(**external.settings, catalogue="streams.yaml")
    return external


def test_update_replace_rename_delete(own: Project, jetstream: JetStream) -> None:
    """Each kind of change is planned by its name and done."""
    own.catalogue(
        LONGER={"subjects": ["longer"], "max_age": "1d"},
        MOVED={"subjects": ["moved"]},
        OLD={"subjects": ["old"]},
    )
    own.up()
    own.catalogue(
        LONGER={"subjects": ["longer"], "max_age": "7d"},
        MOVED={"subjects": ["moved"], "first_seq": 9},
        NEW={"subjects": ["new"]},
    )
    planned = own.preview()

    assert planned.code == 0, planned.text
    assert '~ max_age  : "1d" => "7d"' in planned.text
    assert "+-pulumi-python:dynamic/jetstream:Stream: (replace)" in planned.text
    assert "+ first_seq: 9" in planned.text
    counts = ["+ 1 to create", "~ 2 to update", "- 1 to delete", "+-1 to replace"]
    assert [] == [count for count in counts if count not in planned.text], planned.text

    own.up()
    assert {"LONGER", "MOVED", "NEW"} == set(jetstream.streams())
    assert own.unchanged()


def test_a_guarded_stream_keeps_its_messages(own: Project, jetstream: JetStream) -> None:
    """Neither a replacement nor a destroy deletes what guard protects; the line says what is there and what to do."""
    own.catalogue(KEPT={"subjects": ["kept"], "on_delete": "guard"})
    own.up()
    jetstream.connection.request("kept", b"payload")
    own.catalogue(KEPT={"subjects": ["kept"], "on_delete": "guard", "first_seq": 9})

    for command in ("up", "destroy"):
        refused = own.pulumi(command, "--yes", "--skip-preview")
        assert refused.code != 0
        assert "KEPT holds 1 message and has 0 consumers" in refused.text
        assert "Traceback" not in refused.text
        assert jetstream.stream("KEPT")

    assert own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="KEPT").code == 0
    assert jetstream.stream("KEPT") is None


def test_mistakes_end_a_preview_with_a_line_each(own: Project) -> None:
    """Catalogue and settings: what is wrong, where, what to do; never a traceback."""
    own.catalogue(A={"subjects": ["a"], "max_agee": "7d"}, B={"subjects": ["a"], "max_bytes": "7 apples"})
    said = own.preview()
    assert said.code != 0
    assert "streams.yaml:4: A.max_agee: unknown field; did you mean max_age?" in said.text
    assert "B.max_bytes: unknown unit 'apples'" in said.text
    assert "overlaps 'a' of A" in said.text
    assert "Traceback" not in said.text

    own.configure(**{**own.settings, "clientPrt": 4222})
    said = own.preview()
    assert said.code != 0
    assert "clientPrt: unknown setting; did you mean clientPort?" in said.text
    assert "Traceback" not in said.text


def test_a_stream_without_subjects_is_a_warning_in_preview(own: Project) -> None:
    """It captures its own name, which may be a slip: the plan goes on and says so, with the line."""
    own.catalogue(ALONE={"max_age": "7d"})
    said = own.preview()
    assert 0 == said.code
    assert "streams.yaml:1: ALONE: has no subjects, so it captures its own name" in said.text


def test_preview_refuses_what_the_server_would_refuse(own: Project, jetstream: JetStream) -> None:
    """An overlap with a stream that no catalogue names is an error before anything is touched."""
    jetstream.create(config("STRANGER", subjects=["market.>"]))
    own.catalogue(MINE={"subjects": ["market.data"]})

    said = own.preview()
    assert said.code != 0
    assert (
        "resource 'estate' has a problem: MINE: subjects[0] 'market.data' overlaps 'market.>' of stream STRANGER"
        in said.text
    )
    assert {"STRANGER"} == set(jetstream.streams())


def test_no_message_is_lost_without_a_yes(own: Project, jetstream: JetStream) -> None:
    """A plan that would lose messages stops with the number; naming the stream lets one run through."""
    own.catalogue(KEPT={"subjects": ["kept"]})
    own.up()
    for _ in range(3):
        jetstream.connection.request("kept", b"payload")
    own.catalogue(KEPT={"subjects": ["kept"], "max_msgs": 1})

    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        refused = own.pulumi(*command)
        assert refused.code != 0
        assert "KEPT: max_msgs unlimited -> 1 would delete 2 of 3 messages" in refused.text
        assert "STREAMS_ALLOW_LOSS=KEPT pulumi up" in refused.text

    own.up(STREAMS_ALLOW_LOSS="KEPT")
    live = jetstream.stream("KEPT")
    assert live
    assert 1 == live.messages
    assert own.unchanged()


@pytest.mark.parametrize("parallel", ["--parallel=1", "--parallel=16"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"LEFT": "a", "RIGHT": "b", "OLD": "c"}, {"LEFT": "b", "RIGHT": "a", "NEW": "c"}, id="swap"),
        pytest.param({"A": "a", "B": "b", "C": "c"}, {"A": "b", "B": "c", "C": "a"}, id="rotation"),
        pytest.param({"ALL": "x.>"}, {"ALL": "x.a", "B": "x.b", "C": "x.c"}, id="split"),
        pytest.param({"A": "x.a", "B": "x.b", "C": "x.c"}, {"C": "x.>"}, id="merge"),
    ],
)
def test_subjects_move_in_one_up(
    own: Project, jetstream: JetStream, before: dict[str, str], after: dict[str, str], parallel: str
) -> None:
    """Whoever gives to whom, one stream after another or all at once: planned without an error, done in one run."""
    own.catalogue(**{name: {"subjects": [subject]} for name, subject in before.items()})
    own.up()
    own.catalogue(**{name: {"subjects": [subject]} for name, subject in after.items()})
    planned = own.preview()
    assert planned.code == 0, planned.text

    own.up(parallel)
    subjects = {name: info.config["subjects"] for name, info in jetstream.streams().items()}
    assert {name: [subject] for name, subject in after.items()} == subjects
    assert own.unchanged()
