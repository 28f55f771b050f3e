"""The consumers of a catalogue's streams."""

from __future__ import annotations

import pytest

from provisioner.catalogue.reader import parse
from provisioner.errors import CatalogueError
from provisioner.schema.model import Adopt, OnDelete
from provisioner.units import parse_duration

FILE = "streams.yaml"


def _problems(text: str) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        parse(text, FILE)
    return str(caught.value).splitlines()


def test_consumers_of_two_streams() -> None:
    """In the file's order, with their fields, policies and places; a null is a consumer with every default."""
    read = parse(
        "A:\n  subjects: [a.>]\n  consumers:\n    one:\n      ack_wait: 1m\n      purpose: first\n    two:\n"
        "B:\n  subjects: [b]\n  consumers:\n    one: {on_delete: delete, adopt: always}\n",
        FILE,
    )
    first, second, third = read.consumers

    assert ["A/one", "A/two", "B/one"] == [spec.label for spec in read.consumers]
    assert parse_duration("1m") == first.config["ack_wait"]
    assert ("first", f"{FILE}:4") == (first.purpose, str(first.place))
    assert "explicit" == second.config["ack_policy"]
    assert (OnDelete.DELETE, Adopt.ALWAYS) == (third.on_delete, third.adopt)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("[one]", "streams.yaml:3: A.consumers: is not a map of consumers; write NAME: and below it"),
        ("{one: 3}", "streams.yaml:3: A.consumers.one: is not a block of fields"),
        ("{one: {name: x}}", "streams.yaml:3: A.consumers.one.name: unknown field"),
        ("{one: {durable_name: x}}", "streams.yaml:3: A.consumers.one.durable_name: does not go here"),
        ("{_carry_x: }", "streams.yaml:3: A.consumers._carry_x: _carry_ begins the names"),
        ("{one: {metadata: {_nats.x: y}}}", "streams.yaml:3: A.consumers.one.metadata._nats.x: '_nats.x' is"),
        ("{one: {max_ack_pending: -2}}", "streams.yaml:3: A.consumers.one.max_ack_pending: -2 is not between"),
        ("{one: {num_replicas: 3}}", "streams.yaml:3: A.consumers.one.num_replicas: is more than the stream's"),
    ],
)
def test_a_problem_has_its_line(block: str, problem: str) -> None:
    """File, line, stream, consumer, field."""
    (line,) = _problems(f"A:\n  subjects: [a]\n  consumers: {block}\n")
    assert line.startswith(problem)


def test_consumers_beside_each_other() -> None:
    """A work queue gives each message to one of them, and a stream has only so many."""
    queue = "A:\n  subjects: [a.>]\n  retention: workqueue\n  consumers: {one: {filter_subject: a.b}, two: }\n"
    few = "A:\n  subjects: [a.>]\n  max_consumers: 1\n  consumers: {one: , two: }\n"

    assert [f"{FILE}:4: A.consumers.two.filter_subject: takes the same subjects of a work queue as one"] == _problems(
        queue
    )
    assert [f"{FILE}:4: A.consumers.two: is one more than the stream's max_consumers of 1"] == _problems(few)


def test_they_belong_to_one_stream() -> None:
    """Not to all of them."""
    (line,) = _problems("defaults:\n  consumers: {one: }\nA:\n  subjects: [a]\n")
    assert f"{FILE}:2: defaults.consumers: belongs to one stream, not in defaults" == line


def test_a_filter_that_matches_nothing_is_advice() -> None:
    """The server takes it, and nobody ever gets a message."""
    read = parse("A:\n  subjects: [a.>]\n  consumers: {one: {filter_subject: b}}\n", FILE)
    assert (f"{FILE}:3: A.consumers.one: 'b' matches no subject of A",) == read.notes
