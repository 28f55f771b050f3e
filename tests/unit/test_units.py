"""Durations, sizes and times, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.text import approximate_size
from provisioner.units import format_duration, format_size, format_time, parse_duration, parse_size, parse_time

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "nanoseconds", "canonical"),
    [
        ("7d", 7 * 86_400 * SECOND, "7d"),
        ("1w", 7 * 86_400 * SECOND, "7d"),
        ("168h", 7 * 86_400 * SECOND, "7d"),
        ("1h30m", 5400 * SECOND, "1h30m"),
        ("90m", 5400 * SECOND, "1h30m"),
        ("1.5h", 5400 * SECOND, "1h30m"),
        ("500ms", SECOND // 2, "500ms"),
        ("1.001s", 1_001_000_000, "1s1ms"),
        ("3µs", 3000, "3us"),
        ("3μs", 3000, "3us"),
        ("0", 0, "0s"),
        ("0s", 0, "0s"),
    ],
)
def test_durations(text: str, nanoseconds: int, canonical: str) -> None:
    """People's spellings are exact nanoseconds, printed in one way."""
    assert parse_duration(text) == nanoseconds
    assert format_duration(nanoseconds) == canonical


@pytest.mark.parametrize(
    "text", ["", "7", "d", "7 d", "-1s", "7D", "1:30", "1h 30m", "7dd", "7x", "0.5ns", "1e3s", "7d "]
)
def test_what_is_no_duration(text: str) -> None:
    """Anything else is a ValueError with a message."""
    with pytest.raises(ValueError, match=r"\w"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size", "canonical"),
    [
        ("10GiB", 10 * 1024**3, "10GiB"),
        ("10 GiB", 10 * 1024**3, "10GiB"),
        ("10240MiB", 10 * 1024**3, "10GiB"),
        ("512MB", 512_000_000, "512MB"),
        ("1KB", 1000, "1kB"),
        ("1kB", 1000, "1kB"),
        ("1.5KiB", 1536, "1536B"),
        ("1048576", 1024**2, "1MiB"),
        ("1B", 1, "1B"),
        ("0", 0, "0B"),
    ],
)
def test_sizes(text: str, size: int, canonical: str) -> None:
    """IEC units are binary, SI units decimal; printed in the exact unit with the shortest number."""
    assert parse_size(text) == size
    assert format_size(size) == canonical


@pytest.mark.parametrize("text", ["", "GiB", "10GiBi", "10gib", "-1GiB", "1.0001KB B", "0.5B", "ten", "1,5GB", "1e3"])
def test_what_is_no_size(text: str) -> None:
    """Anything else is a ValueError with a message."""
    with pytest.raises(ValueError, match=r"\w"):
        parse_size(text)


@given(st.integers(0, 2**63 - 1))
def test_durations_survive_printing(nanoseconds: int) -> None:
    """What is printed reads back as the same number of nanoseconds."""
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@given(st.integers(0, 2**63 - 1) | st.integers(0, 2**13).map(lambda n: n * 1024**4))
def test_sizes_survive_printing(size: int) -> None:
    """What is printed reads back as the same number of bytes."""
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (19_864_223_744, "18.5 GiB"), (1024**7, "1024.0 EiB")],
)
def test_approximate_sizes(size: int, text: str) -> None:
    """Tables show three figures."""
    assert approximate_size(size) == text


@given(st.integers(-(10**19), 10**19))
def test_times_keep_their_nanoseconds(nanoseconds: int) -> None:
    """Written and read back, the same; and the order of times is that of the numbers."""
    assert nanoseconds == parse_time(format_time(nanoseconds))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T01:00:00.000000001+01:00", 1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000_000),
    ],
)
def test_times(text: str, expected: int) -> None:
    """Nanoseconds since 1970, in whatever zone and with whatever digits they are written."""
    assert expected == parse_time(text)


@pytest.mark.parametrize("text", ["", "soon", "2026-01-31T12:00:00"])
def test_what_is_no_time(text: str) -> None:
    """A time without a zone is none either."""
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)
