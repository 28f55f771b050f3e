"""Many subjects, searched for those that overlap one without comparing all pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from provisioner.rules.subjects import is_valid

Owner = TypeVar("Owner")

_OWNERS: Final = ""  # no token of a valid subject is empty


class SubjectIndex(Generic[Owner]):
    """A tree of tokens; each valid subject added has an owner."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def add(self, subject: str, owner: Owner) -> None:
        """Put a subject in; two owners may have the same one."""
        node = self._root
        for token in subject.split("."):
            node = node.setdefault(token, {})
        node.setdefault(_OWNERS, []).append(owner)

    def has_overlap(self, subject: str) -> bool:
        """Whether some subject matches this one and one that was added."""
        return next(self.overlapping(subject), None) is not None

    def overlapping(self, subject: str) -> Iterator[Owner]:
        """The owners of every subject that some subject matches together with this one."""
        tokens = subject.split(".")
        waiting = [(self._root, 0)]
        while waiting:
            node, depth = waiting.pop()
            if depth == len(tokens):
                yield from node.get(_OWNERS, ())
            elif tokens[depth] == ">":
                yield from _everything_below(node)
            else:
                yield from node.get(">", {}).get(_OWNERS, ())
                waiting += [(child, depth + 1) for child in _matching(node, tokens[depth])]


def indexed(subjects: Iterable[str]) -> SubjectIndex[str]:
    """An index of subjects, each its own owner."""
    index = SubjectIndex[str]()
    for subject in subjects:
        index.add(subject, subject)
    return index


def overlaps(subjects: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The position of each valid subject that overlaps an earlier one, with the position of such a one.

    Not every pair: where all subjects overlap, those are as many as the square of their number.
    """
    valid = [at for at, subject in enumerate(subjects) if is_valid(subject)]
    # Usually there is none. That is found out fastest with the most wildcards in the index first,
    # as looking up the others then follows single branches.
    if any(_overlaps_of(subjects, sorted(valid, key=lambda at: -_wildcards(subjects[at])))):
        yield from _overlaps_of(subjects, valid)


def _overlaps_of(subjects: Sequence[str], order: list[int]) -> Iterator[tuple[int, int]]:
    index = SubjectIndex[int]()
    for at in order:
        other = next(index.overlapping(subjects[at]), None)
        if other is not None:
            yield at, other
        index.add(subjects[at], at)


def _wildcards(subject: str) -> int:
    return sum(token in {"*", ">"} for token in subject.split("."))


def _matching(node: dict[str, Any], token: str) -> list[dict[str, Any]]:
    if token == "*":
        return [child for name, child in node.items() if name not in (_OWNERS, ">")]
    return [node[name] for name in (token, "*") if name in node]


def _everything_below(node: dict[str, Any]) -> Iterator[Any]:
    waiting = [child for name, child in node.items() if name != _OWNERS]
    while waiting:
        below = waiting.pop()
        yield from below.get(_OWNERS, ())
        waiting += [child for name, child in below.items() if name != _OWNERS]
