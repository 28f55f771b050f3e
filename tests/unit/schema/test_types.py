"""Each type of value: what people write, the wire value, the canonical form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.schema.fields import BY_NAME, FIELDS
from provisioner.schema.scalars import INT64
from provisioner.schema.types import FieldPath, read_fields, show_fields

DAY = 86_400_000_000_000


def read(field: str, value: object) -> tuple[Any, list[tuple[FieldPath, str]]]:
    """The wire value and what was reported."""
    reports: list[tuple[FieldPath, str]] = []
    return BY_NAME[field].type.read(value, (field,), lambda at, what: reports.append((at, what))), reports


# Field, what is written, the wire value, the canonical form.
READABLE = [
    ("description", "text", "text", "text"),
    ("no_ack", True, True, True),
    ("storage", "memory", "memory", "memory"),
    ("max_age", "24h", DAY, "1d"),
    ("max_age", 0, 0, "unlimited"),
    ("max_age", "unlimited", 0, "unlimited"),
    ("duplicate_window", 0, 0, "0s"),
    ("max_bytes", "1GiB", 1024**3, "1GiB"),
    ("max_bytes", 1024, 1024, "1KiB"),
    ("max_bytes", 1024.0, 1024, "1KiB"),
    ("max_bytes", 0, -1, "unlimited"),
    ("max_bytes", "unlimited", -1, "unlimited"),
    ("max_msgs", "unlimited", -1, "unlimited"),
    ("max_msgs", -1, -1, "unlimited"),
    ("max_msgs", 5.0, 5, 5),
    ("first_seq", str(2**64 - 1), 2**64 - 1, str(2**64 - 1)),
    ("first_seq", 0, 0, 0),
    ("subjects", ["a", "b"], ["a", "b"], ["a", "b"]),
    ("metadata", {"a": "b"}, {"a": "b"}, {"a": "b"}),
    ("subject_transform", {"src": "a"}, {"src": "a", "dest": ""}, {"src": "a"}),
    (
        "consumer_limits",
        {"inactive_threshold": "1d"},
        {"inactive_threshold": DAY, "max_ack_pending": 0},
        {"inactive_threshold": "1d"},
    ),
]


@pytest.mark.parametrize(("field", "written", "wire", "canonical"), READABLE)
def test_readable(field: str, written: object, wire: object, canonical: object) -> None:
    """What people write is the wire value; the canonical form reads back as the same."""
    assert read(field, written) == (wire, [])
    assert BY_NAME[field].type.show(wire) == canonical
    assert read(field, canonical) == (wire, [])


@pytest.mark.parametrize(
    ("field", "written", "path", "what"),
    [
        ("description", True, (), "true is not text; put it in quotes"),
        ("description", None, (), "null is not text; put it in quotes"),
        ("no_ack", "yes", (), "'yes' is neither true nor false"),
        ("no_ack", 1, (), "1 is neither true nor false"),
        ("storage", "File", (), "'File' is not one of file, memory; did you mean file?"),
        ("storage", ["x"], (), "['x'] is not one of file, memory"),
        ("max_age", 7, (), "7 has no unit; write it like 7d, 1h30m or 500ms"),
        ("max_age", "300y", (), "unknown unit 'y'; use one of d, h, m, s, ms, us, ns, w, µs, μs"),
        ("max_age", "400000d", (), "400000d is longer than 292 years, the longest possible"),
        ("max_bytes", False, (), "false is not a whole number"),
        ("max_bytes", -5, (), f"-5 is not between 0 and {INT64} bytes"),
        ("max_bytes", "9EB", (), None),
        ("max_bytes", "10EB", (), f"10EB is not between 0 and {INT64} bytes"),
        ("max_msgs", 1.5, (), "1.5 is not a whole number"),
        ("max_msgs", -2, (), f"-2 is not between 0 and {INT64}"),
        ("num_replicas", 6, (), "6 is not between 0 and 5"),
        ("subjects", "a", (), "is not a list; begin each entry with a dash"),
        ("subjects", ["a", 5], (1,), "5 is not text; put it in quotes"),
        ("metadata", [], (), "is not a map of text to text; write each entry as key: value"),
        ("metadata", {"a": 1}, ("a",), "1 is not text; put it in quotes"),
        ("subject_transform", "a", (), "is not a block with src, dest"),
        ("subject_transform", {"source": "a"}, ("source",), "unknown field; did you mean src?"),
        ("republish", {}, (), "needs dest"),
    ],
)
def test_unreadable(field: str, written: object, path: FieldPath, what: str | None) -> None:
    """One report says where and what."""
    assert read(field, written)[1] == ([((field, *path), what)] if what else [])


@pytest.mark.parametrize(
    ("written", "wire"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.120000+01:00", "2026-01-31T11:00:00.12Z"),
        ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456789Z"),
        ("0999-01-31T12:00:00Z", "0999-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00", None),
        ("2026-02-31T12:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
    ],
)
def test_instants(written: str, wire: str | None) -> None:
    """Instants are held in UTC with the digits they need; others are reported."""
    value, reports = read("mirror", {"name": "a", "opt_start_time": written})
    assert (value["opt_start_time"], bool(reports)) == (wire, wire is None)


def test_every_field_reads_its_own_default() -> None:
    """Nothing given is the server's default throughout, and shows as nothing."""
    config = read_fields({}, FIELDS, (), lambda at, what: pytest.fail(f"{at}: {what}"))
    assert config == {field.name: field.default for field in FIELDS}
    assert show_fields(config, FIELDS) == {}


@given(st.integers(1, INT64), st.integers(1, INT64), st.integers(0, 2**64 - 1))
def test_canonical_forms_lose_nothing(duration: int, size: int, count: int) -> None:
    """Any integer survives the state's canonical form."""
    for field, wire in (("max_age", duration), ("max_bytes", size), ("first_seq", count)):
        assert read(field, BY_NAME[field].type.show(wire)) == (wire, [])
