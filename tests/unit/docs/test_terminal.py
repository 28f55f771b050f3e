"""The picture of a session."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from docs.terminal import picture

PAGE = """# A session

Something `happens`:

<!-- run: next -->
```console
$ make up
 + created <1>
    error: {long}
```
"""


def _lines(page: str) -> list[tuple[str, str]]:
    """Each line of the picture with its colour."""
    root = ET.fromstring(picture(page))  # noqa: S314 - our own text
    return [(text.text or "", text.attrib["fill"]) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_sentence_command_and_output_are_drawn() -> None:
    """Special characters survive, and commands, additions and errors differ in colour."""
    texts, colours = zip(*_lines(PAGE), strict=True)
    assert ("# Something happens:", "$ make up", " + created <1>", "    error: {long}") == texts
    assert 4 == len(set(colours))


def test_long_lines_are_wrapped() -> None:
    """No line is wider than the picture, and no word is lost."""
    lines = [text for text, _colour in _lines(PAGE.replace("{long}", "word " * 60))]
    assert max(map(len, lines)) <= 104
    assert 60 == " ".join(lines).split().count("word")
