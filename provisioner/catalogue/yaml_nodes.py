"""YAML as plain values, each with the line it stands on.

YAML 1.2's core schema says what is a number, true or null: under PyYAML's YAML 1.1 ``on``
would be a boolean, ``1:30`` ninety and ``010`` eight. A catalogue is one document without
anchors, aliases, merge keys and tags, so its size is what one sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

from provisioner.schema.types import FieldPath

Report: TypeAlias = Callable[[int, FieldPath, str], None]
# PyYAML's stubs know half of what an event has.
Event: TypeAlias = Any
# Maps, lists, text, numbers, true, false or None.
Plain: TypeAlias = Any

# The C parser is 15 times as fast; PyYAML has it wherever it comes as a wheel.
_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEEPEST: Final = 20

_CORE_SCHEMA: Final[tuple[tuple[re.Pattern[str], Callable[[str], Plain]], ...]] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INDICATORS: Final = "*&!@`>|"
_SHARED: Final = "; shared fields go under defaults"


@dataclass(frozen=True)
class Node:
    """A value and its line; the line of an entry of a map is that of its key."""

    value: str | int | float | list[Node] | dict[str, Node] | None
    line: int

    @property
    def plain(self) -> Plain:
        """The value without its lines."""
        match self.value:
            case dict():
                return {key: node.plain for key, node in self.value.items()}
            case list():
                return [node.plain for node in self.value]
            case _:
                return self.value

    def line_at(self, path: FieldPath) -> int:
        """The line of what is at this path, or of the nearest block around it."""
        child = self._child(path[0]) if path else None
        return child.line_at(path[1:]) if child else self.line

    def _child(self, step: str | int) -> Node | None:
        if isinstance(self.value, dict) and isinstance(step, str):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            return self.value[step]
        return None


def compose(text: str, report: Report, instead: str = _SHARED) -> Node | None:
    """The document of a text; None, with the reason reported, where it cannot be read.

    Args:
        text: the YAML.
        report: hears of every problem.
        instead: what to do in place of anchors and merge keys.
    """
    if odd := _UNPRINTABLE.search(text):
        report(text.count("\n", 0, odd.start()) + 1, (), f"character U+{ord(odd[0]):04X} is not allowed")
        return None
    try:
        return _Composer(yaml.parse(text, Loader=_LOADER), report, instead).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        report(line + 1, (), f"{error.problem or error.context}{_hint(text, line, column)}")
        return None


def _hint(text: str, line: int, column: int) -> str:
    before = "".join(text.split("\n")[line : line + 1])[: column + 1]
    if "\t" in before[: len(before) - len(before.lstrip())]:
        return "; indent with spaces, not with tabs"
    if set(_INDICATORS) & set(before[-2:]):
        return f"; text that begins with one of {' '.join(_INDICATORS)} needs quotes"
    return ""


class _Composer:
    """Builds nodes from parser events, reporting what a catalogue may not hold."""

    def __init__(self, events: Iterator[Event], report: Report, instead: str) -> None:
        self._events, self._report, self._instead = events, report, instead

    def document(self) -> Node:
        next(self._events)  # the stream starts
        root = Node(None, 1)
        if isinstance(next(self._events), yaml.DocumentStartEvent):
            root = self._node(next(self._events), ())
            next(self._events)  # the document ends
            self._refuse_another(next(self._events))
        return root

    def _refuse_another(self, event: Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._report(_line(event), (), "a second document begins here; a file is one document")

    def _node(self, event: Event, path: FieldPath, line: int | None = None) -> Node:
        self._refuse_references(event, path)
        return Node(self._value(event, path), line or _line(event))

    def _value(self, event: Event, path: FieldPath) -> Plain:
        if len(path) > _DEEPEST:
            raise yaml.MarkedYAMLError(problem="is nested too deeply", problem_mark=event.start_mark)
        match event:
            case yaml.MappingStartEvent():
                return self._map(path)
            case yaml.SequenceStartEvent():
                return self._list(path)
            case yaml.ScalarEvent():
                return self._scalar(event, path)
            case _:
                return f"*{event.anchor}"

    def _map(self, path: FieldPath) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            node = self._node(next(self._events), (*path, "?" if key is None else key), _line(event))
            if key in entries:
                self._report(node.line, (*path, key), f"duplicate key, first defined on line {entries[key].line}")
            elif key is not None:
                entries[key] = node
        return entries

    def _key(self, event: Event, path: FieldPath) -> str | None:
        self._refuse_references(event, path)
        if not isinstance(event, yaml.ScalarEvent):
            self._value(event, (*path, "?"))
            self._report(_line(event), path, "a key must be text")
            return None
        if event.value == "<<" and not event.style:
            self._report(_line(event), path, f"merge keys (<<) are not supported{self._instead}")
            return None
        return self._text(event)

    def _list(self, path: FieldPath) -> list[Node]:
        entries: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            entries.append(self._node(event, (*path, len(entries))))
        return entries

    def _scalar(self, event: Event, path: FieldPath) -> Plain:
        if event.style in ("|", ">") and not event.value.strip():
            self._report(_line(event), path, f"{event.style} begins a block of text here; put it in quotes")
            return event.style
        return self._text(event) if event.style else _resolve(self._text(event))

    def _text(self, event: Event) -> str:
        if _SURROGATE.search(event.value):
            raise yaml.MarkedYAMLError(problem="holds half a character", problem_mark=event.start_mark)
        return str(event.value)

    def _refuse_references(self, event: Event, path: FieldPath) -> None:
        if isinstance(event, yaml.AliasEvent):
            what = f"aliases (*{event.anchor}) are not supported; text that begins with * needs quotes"
            self._report(_line(event), path, what)
        elif event.anchor is not None:
            self._report(_line(event), path, f"anchors (&{event.anchor}) are not supported{self._instead}")
        if getattr(event, "tag", None) is not None:
            self._report(_line(event), path, f"tags ({event.tag}) are not supported")


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _resolve(text: str) -> Plain:
    """A plain scalar's value; what is too long for a number stays text."""
    for pattern, convert in _CORE_SCHEMA:
        if pattern.fullmatch(text):
            try:
                return convert(text)
            except ValueError:
                return text
    return text
