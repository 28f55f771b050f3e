"""Versions: each is written down once, in a committed file, and read from there."""

from __future__ import annotations

import re

from tools.paths import ROOT
from tools.subprocesses import ToolError


def pinned(file: str, pattern: str) -> str:
    """Return the first group of the pattern in a committed file.

    Raises:
        ToolError: nothing in the file matches.
    """
    match = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
    if match is None:
        raise ToolError(f"{file}: no line matches {pattern}")
    return match[1]


def recent_enough(actual: str, oldest: str) -> bool:
    """Compare the first dotted numbers of two texts: ``go version go1.26.8`` is enough for ``1.26.6``."""
    return _numbers(actual) >= _numbers(oldest)


def _numbers(text: str) -> tuple[int, ...]:
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(map(int, match[0].split("."))) if match else ()
