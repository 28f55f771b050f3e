"""Subjects as nats-server sees them: valid, overlapping, contained in one another."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Final

_SPACE: Final = re.compile(r"[ \t\n\r\f]")
_RELEASED: Final = "_released."


def is_valid(subject: str) -> bool:
    """Tokens without white space, none empty, ``>`` only at the end."""
    tokens = subject.split(".")
    return not _SPACE.search(subject) and all(tokens) and ">" not in tokens[:-1]


def is_literal(subject: str) -> bool:
    """Without wildcards."""
    return not {"*", ">"} & set(subject.split("."))


def overlap(one: str, other: str) -> bool:
    """Whether some subject matches both."""
    left, right = one.split("."), other.split(".")
    for a, b in zip(left, right, strict=False):
        if ">" in (a, b):
            return True
        if a != b and "*" not in (a, b):
            return False
    if len(left) == len(right):
        return True
    shorter, longer = sorted((left, right), key=len)
    return shorter[-1] == ">" and len(longer) >= len(shorter)


def contains(outer: str, inner: str) -> bool:
    """Whether every subject that ``inner`` matches is matched by ``outer`` too."""
    wide, narrow = outer.split("."), inner.split(".")
    for position, token in enumerate(wide):
        if position >= len(narrow):
            return False
        if token == ">":
            return True
        if narrow[position] == ">" or (token != "*" and token != narrow[position]):
            return False
    return len(wide) == len(narrow)


def meet(one: str, other: str) -> str | None:
    """The pattern of exactly the subjects that match both; None where there are none."""
    if not overlap(one, other):
        return None
    left, right = one.split("."), other.split(".")
    shared = list(takewhile(lambda pair: ">" not in pair, zip(left, right, strict=False)))
    rest = left[len(shared) :] if right[-1] == ">" and len(right) == len(shared) + 1 else right[len(shared) :]
    return ".".join([*(b if a == "*" else a for a, b in shared), *rest])


def released(stream: str) -> str:
    """A subject that nobody publishes to, for a stream that has given up all of its own for a moment."""
    return f"{_RELEASED}{stream}"
