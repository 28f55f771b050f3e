"""Versions are compared as numbers."""

from __future__ import annotations

import pytest

from tools.versions import recent_enough


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ("v3.274.1\n", "3.220.0", True),
        ("v3.220.0", "3.220.0", True),
        ("v3.99.0", "3.220.0", False),
        ("v3.280.0-alpha.1", "3.220.0", True),
        ("go version go1.26.8 linux/amd64", "1.26.6", True),
        ("go version go1.9.7 linux/amd64", "1.26.6", False),
        ("command not found", "3.220.0", False),
    ],
)
def test_versions_compare_as_numbers(found: str, wanted: str, expected: bool) -> None:
    """3.99 is older than 3.220, and a program that tells no version is never recent enough."""
    assert expected == recent_enough(found, wanted)
