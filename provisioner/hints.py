"""Hints for a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean max_age?`` for the known word most like this one, else nothing."""
    folded = {name.casefold().replace("_", "").replace("-", ""): name for name in known}
    matches = get_close_matches(word.casefold().replace("_", "").replace("-", ""), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[matches[0]]}?" if matches else ""
