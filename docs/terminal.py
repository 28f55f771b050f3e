"""docs/up.svg: the console blocks of the walkthrough as a drawn terminal. Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from html import escape
from typing import Final

_COLUMNS: Final = 104
_LINE_PX: Final = 18
_MARGIN_PX: Final = 20
_COLUMN_PX: Final = 8
_FONT: Final = "ui-monospace, Menlo, Consolas, monospace"
_TEXT: Final = "#d0d7de"
# How a line begins -> its colour.
_COLOURS: Final = (
    (r"\$ ", "#ffffff"),
    (r"# ", "#8b949e"),
    (r" *\+ ", "#56d364"),
    (r" *~ ", "#e3b341"),
    (r" *error", "#ff7b72"),
)
_BLOCK: Final = re.compile(r"^([^\n]+)\n\n<!-- run: .*? -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def picture(walkthrough: str) -> str:
    """The page's commands with their output, each under the sentence before it, as an SVG."""
    lines = list(_lines(walkthrough))
    width = _COLUMNS * _COLUMN_PX + 2 * _MARGIN_PX
    height = len(lines) * _LINE_PX + 2 * _MARGIN_PX
    rows = "\n".join(_row(number, line) for number, line in enumerate(lines, 1) if line)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>\n'
        f'<g font-family="{_FONT}" font-size="13" xml:space="preserve" style="white-space: pre">\n'
        f"{rows}\n</g>\n</svg>\n"
    )


def _lines(walkthrough: str) -> Iterator[str]:
    for number, (sentence, console) in enumerate(_BLOCK.findall(walkthrough)):
        yield from [""] if number else []
        yield f"# {sentence.replace('`', '')}"
        for line in console.splitlines():
            yield from textwrap.wrap(line, _COLUMNS, subsequent_indent="        ", drop_whitespace=False)


def _row(number: int, line: str) -> str:
    colour = next((colour for start, colour in _COLOURS if re.match(start, line)), _TEXT)
    y = _MARGIN_PX + number * _LINE_PX - 4
    return f'<text x="{_MARGIN_PX}" y="{y}" fill="{colour}">{escape(line, quote=False)}</text>'
