"""What a plan is told before anything is touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """The problems that ``up`` would run into, and what the user should know before it."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """All problems and notes, in order."""
    verdicts = tuple(verdicts)
    return Verdict(
        tuple(problem for verdict in verdicts for problem in verdict.problems),
        tuple(note for verdict in verdicts for note in verdict.notes),
    )
