"""The examples of a Markdown document, and whether a program's output is what the document says.

A fenced block may have a comment before it: ``<!-- run: situation -->`` for one whose output is compared,
``<!-- run: situation, any order -->`` where lines come in any order, ``<!-- file: name -->`` for a file that
the commands after it use, ``<!-- not run: reason -->``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"(?:^<!-- (.+?) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OMITTED: Final = "…"
# Figures that differ from run to run.
_VOLATILE: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:]+(\.\d+)?(Z|\+00:00)"), "TIME"),
    (re.compile(r"\(\d+(\.\d+)?s\)"), "(SECONDS)"),
    (re.compile(r"\b(first|last) \S+ ago"), r"\1 AGE ago"),
    (re.compile(r"\bup [\dhms]+\b"), "up AGE"),
    (re.compile(r"\b\d+ (connection|subscription)s?"), r"N \1s"),
    (re.compile(r"\s+"), " "),
    (re.compile(r"( \d+\.\d){3}$"), " MS MS MS"),
    (re.compile(r"\b\d+ ms\b"), "N ms"),
)
# What make and the engine say of themselves, and the engine's signs of life, which may be in front of a line.
_ASIDE: Final = re.compile(r"^(Stack \w+: .*|\$ .*|make: \*\*\* .*|@ .*\.{4} ?)")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, its text and the comment before it."""

    line: int
    mark: str
    language: str
    text: str

    @property
    def situation(self) -> str:
        """The situation that its commands are run in, if they are."""
        return self.mark.removeprefix("run: ").partition(",")[0] if self.mark.startswith("run: ") else ""

    @property
    def any_order(self) -> bool:
        return self.mark.endswith(", any order")

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command of a console block, without its comment, and the lines that follow it."""
        parts = re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]
        return [(_uncommented(part.partition("\n")[0]), part.splitlines()[1:]) for part in parts]


def blocks(file: Path) -> Iterator[Block]:
    """The fenced blocks of a document."""
    text = file.read_text()
    for match in _BLOCK.finditer(text):
        mark, language, body = match.groups()
        yield Block(text.count("\n", 0, match.start()) + 1, mark or "", language, body)


def _uncommented(command: str) -> str:
    return re.sub(r"\s+# .*", "", command).strip()


def stable(lines: list[str]) -> list[str]:
    """The lines without volatile figures, blank lines and asides."""
    bare = (_ASIDE.sub("", line).strip() for line in lines)
    return [reduce(lambda text, rule: rule[0].sub(rule[1], text), _VOLATILE, line) for line in bare if line]


def missing(expected: list[str], actual: list[str], *, any_order: bool = False) -> list[str]:
    """The expected lines that the output lacks, or whatever it has too much; none if it is as expected."""
    patterns, lines = stable(expected), stable(actual)
    if any_order:
        return [pattern for pattern in patterns if not any(re.fullmatch(_expression(pattern), line) for line in lines)]
    return _in_order(patterns, lines)


def _in_order(patterns: list[str], lines: list[str]) -> list[str]:
    for count in range(1, len(patterns) + 1):
        if not _follows([*patterns[:count], _OMITTED], lines):
            return [patterns[count - 1]]
    return [] if _follows(patterns, lines) else ["unexpected: lines after the last one"]


def _follows(patterns: list[str], lines: list[str]) -> bool:
    """Whether the lines are the patterns, one after the other; … is any number of lines."""
    expression = "".join(r"(?:.*\n)*?" if pattern == _OMITTED else f"{_expression(pattern)}\n" for pattern in patterns)
    return re.fullmatch(expression, "".join(f"{line}\n" for line in lines)) is not None


def _expression(pattern: str) -> str:
    return ".*".join(map(re.escape, pattern.split(_OMITTED)))
