"""Words for people: hints, counts, sizes, and text that is safe to print."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from provisioner.units import IEC


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean max_age?`` for the known word most like this one, else nothing."""
    folded = {name.casefold().replace("_", "").replace("-", ""): name for name in known}
    matches = get_close_matches(word.casefold().replace("_", "").replace("-", ""), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[matches[0]]}?" if matches else ""


def approximate_size(size: int) -> str:
    """How people read a size: one decimal and a binary unit (``18.5 GiB``). Plans and the state have exact ones."""
    for unit, scale in reversed(IEC.items()):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def distinct_sizes(one: int, other: int) -> tuple[str, str]:
    """Two sizes side by side; to the byte where they would read the same and are not."""
    texts = approximate_size(one), approximate_size(other)
    return texts if one == other or texts[0] != texts[1] else (f"{one:,} B", f"{other:,} B")


def counted(number: int, thing: str) -> str:
    """``1 message``, ``1,204 messages``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """The text with line breaks and control characters escaped: names and values are somebody else's."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
