"""Values that a program gives: plain ones, which are checked at once, and outputs, whose values come later."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pulumi


def is_plain(value: object) -> bool:
    """Whether a value is known when the program says it, with everything in it."""
    if isinstance(value, Mapping):
        return all(map(is_plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return not (isinstance(value, pulumi.Output) or inspect.isawaitable(value))


def said(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a program has given, without what it has not; as lists and maps, as a catalogue has them."""
    return {name: _in_lists(value) for name, value in given.items() if value is not None}


def _in_lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _in_lists(each) for key, each in value.items() if each is not None}
    return [_in_lists(each) for each in value] if isinstance(value, (list, tuple)) else value
