"""What a correct catalogue becomes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.catalogue.model import reserved
from provisioner.catalogue.reader import load, parse
from provisioner.errors import CatalogueError
from provisioner.schema.config import value_of
from provisioner.schema.fields import BY_NAME
from provisioner.schema.model import Place
from provisioner.units import parse_duration, parse_size
from tests.support.five_streams import FIVE_STREAMS

ROOT = Path(__file__).parents[3]


def test_the_five_streams() -> None:
    """The committed catalogue holds exactly the five streams, in order, all else by default."""
    defaults = {name: field.default for name, field in BY_NAME.items()}
    assert [spec.config for spec in load(ROOT / "infra/streams.yaml").streams] == [
        defaults
        | {"name": name, "subjects": stream.subjects, "max_age": stream.max_age_ns, "max_bytes": stream.max_bytes}
        for name, stream in FIVE_STREAMS.items()
    ]


def test_the_five_streams_reserve_18_5_gib() -> None:
    """max_file_store is made from this sum."""
    assert reserved(load(ROOT / "infra/streams.yaml").streams) == parse_size("18.5GiB")


def test_every_stream_says_what_it_is_for() -> None:
    """Status and outputs show the purpose of each."""
    assert all(spec.purpose for spec in load(ROOT / "infra/streams.yaml").streams)


def test_a_stream_without_fields_has_the_servers_defaults() -> None:
    """A name alone is a whole configuration, with its place in the file."""
    (spec,) = parse("\nORDERS:\n", "c.yaml").streams
    assert spec.config == {**{n: f.default for n, f in BY_NAME.items()}, "name": "ORDERS"}
    assert (spec.purpose, spec.on_delete, spec.adopt, spec.place) == ("", None, "equal", Place("c.yaml", 2))


def test_policy_is_apart_from_the_configuration() -> None:
    """purpose, on_delete and adopt never reach the server."""
    (spec,) = parse("A: {purpose: p, on_delete: retain, adopt: always}", "c.yaml").streams
    assert (spec.purpose, spec.on_delete, spec.adopt) == ("p", "retain", "always")
    assert spec.config.keys() == BY_NAME.keys()


def test_defaults_hold_unless_a_stream_says_otherwise() -> None:
    """A stream's own value wins, whole fields only, and a null is the server's default."""
    first, second, third = parse(
        "defaults: {max_age: 7d, metadata: {team: a}, on_delete: delete}\n"
        "A:\n"
        "B: {max_age: 1d, metadata: {own: b}, on_delete: guard}\n"
        "C: {max_age: null, metadata: ~, on_delete: }\n",
        "c.yaml",
    ).streams
    assert [s.config["max_age"] for s in (first, second, third)] == [
        parse_duration("7d"),
        parse_duration("1d"),
        0,
    ]
    assert [s.config["metadata"] for s in (first, second, third)] == [{"team": "a"}, {"own": "b"}, {}]
    assert [s.on_delete for s in (first, second, third)] == ["delete", "guard", None]


@pytest.mark.parametrize("name", ["on", "123", "null", "2026-01-31", "1e3", "Ünïcode", "streams"])
def test_names_stay_text(name: str) -> None:
    """A key is text whatever YAML might take it for."""
    (spec,) = parse(f"{name}: {{subjects: [a]}}", "c.yaml").streams
    assert spec.name == name


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("description", "on", "on"),
        ("description", "1:30", "1:30"),
        ("description", "2026-01-31", "2026-01-31"),
        ("description", "1_000", "1_000"),
        ("description", "'5'", "5"),
        ("description", "|\n    two\n    lines", "two\nlines\n"),
        ("max_msgs", "010", 10),
        ("max_msgs", "0x10", 16),
        ("max_msgs", "0o10", 8),
        ("max_msgs", "1e3", 1000),
        ("max_msgs", "unlimited", -1),
        ("no_ack", "True", True),
        ("first_seq", "18446744073709551615", 2**64 - 1),
        ("max_age", "1h30m", 5_400_000_000_000),
        ("max_bytes", "512MB", 512_000_000),
        ("max_bytes", "10 GiB", 10 * 1024**3),
    ],
)
def test_values_are_read_as_yaml_1_2(field: str, text: str, expected: object) -> None:
    """No YAML 1.1 surprises: no dates, octals, sexagesimals or yes/no booleans."""
    (spec,) = parse(f"A:\n  {field}: {text}\n", "c.yaml").streams
    assert value_of(spec.config, field) == expected


def test_json_is_a_catalogue_too() -> None:
    """Generated catalogues can be JSON."""
    (spec,) = parse('{"A": {"subjects": ["a.>"], "mirror": null}}', "c.json").streams
    assert spec.config["subjects"] == ["a.>"]


def test_reserved_counts_file_streams() -> None:
    """Memory streams and unlimited ones reserve no file store, replicas theirs on other nodes."""
    specs = parse("A: {max_bytes: 1000, num_replicas: 3}\nB: {max_bytes: 5, storage: memory}\nC: {}", "c.yaml").streams
    assert (reserved(specs), reserved(specs, copies=True)) == (1000, 3000)


def test_a_sealed_stream_is_possible() -> None:
    """A stream that was sealed after its creation stays describable."""
    (spec,) = parse("A: {sealed: true}", "c.yaml").streams
    assert spec.config["sealed"] is True


def test_a_byte_order_mark_is_nothing(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    file = tmp_path / "c.yaml"
    file.write_bytes(b"\xef\xbb\xbfA:\r\n  max_msgs: 5\r\n")
    assert load(file).streams[0].config["max_msgs"] == 5


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    """The error names the file and the system's reason."""
    with pytest.raises(CatalogueError, match=r"^\S+/c\.yaml: cannot be read: No such file or directory$"):
        load(tmp_path / "c.yaml")


def test_a_file_that_is_not_utf_8_is_one_line(tmp_path: Path) -> None:
    """The line of the first wrong byte is told."""
    file = tmp_path / "c.yaml"
    file.write_bytes(b"A:\n  purpose: \xe9t\xe9\n")
    with pytest.raises(CatalogueError, match=r"^\S+:2: is not UTF-8 text; save it as UTF-8$"):
        load(file)


def test_a_stream_without_subjects_is_noted() -> None:
    """It captures its own name; a mirror, a stream with sources and one with subjects get no note."""
    catalogue = parse("A:\nB: {mirror: {name: A}}\nC: {sources: [{name: A}]}\nD: {subjects: [D]}\n", "c.yaml")
    note = "c.yaml:1: A: has no subjects, so it captures its own name; write subjects: [A] if that is meant"
    assert (note,) == catalogue.notes


def test_patterns_of_ignored_streams() -> None:
    """A list of text under a key of its own; it is no stream."""
    catalogue = parse("ignore: ['TEMP_*', LOGS]\nA: {subjects: [a]}", "c.yaml")
    assert (("TEMP_*", "LOGS"), ["A"]) == (catalogue.ignore, [spec.name for spec in catalogue.streams])
    assert () == parse("ignore:\nA:", "c.yaml").ignore


def _make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "what"),
    [(Path.mkdir, "a folder"), (_make_pipe, "a pipe"), (lambda path: path.symlink_to("/dev/zero"), "a device")],
    ids=["folder", "pipe", "device"],
)
@pytest.mark.timeout(10)
def test_what_is_no_file_is_one_line(tmp_path: Path, make: Callable[[Path], None], what: str) -> None:
    """Told at once; opening a pipe would wait for a writer, reading a device would never end."""
    make(tmp_path / "c.yaml")
    with pytest.raises(CatalogueError, match=rf"^\S+/c\.yaml: is {what}; a catalogue is a regular file$"):
        load(tmp_path / "c.yaml")


def test_a_name_that_can_be_forgotten() -> None:
    """A line that does its work once is said to."""
    catalogue = parse("A:\n  subjects: [a]\n  renamed_from: X\n", "c.yaml")
    assert ("c.yaml:3: A.renamed_from: can go once an up has carried X over",) == catalogue.notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A: {}", 3),
        ("defaults:\nA: {}", 3),
        ("defaults: {storage: memory}\nA: {}", 3),
        ("defaults: {num_replicas: 1}\nA: {}", 1),
        ("defaults: {num_replicas: 5}\nA: {num_replicas: 2}", 2),
        ("A: {num_replicas: 1}", 1),
    ],
)
def test_replicas_of_the_settings_are_for_who_says_none(text: str, expected: int) -> None:
    """A stream's own number goes before that of the file's defaults, which goes before that of the settings."""
    (spec,) = parse(text, "c.yaml", 3).streams
    assert expected == spec.config["num_replicas"]
