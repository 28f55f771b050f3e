"""The keys at the left margin of a catalogue that are no streams."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

from provisioner.schema.fields import BY_NAME
from provisioner.schema.scalars import Text
from provisioner.schema.stores import STORE_KINDS
from provisioner.schema.types import FieldPath, ListOf, Report

DEFAULTS: Final = "defaults"
IGNORE: Final = "ignore"
# Beside the streams: buckets and object stores, in words of their own.
STORES: Final = frozenset(kind.key for kind in STORE_KINDS)
RESERVED: Final = frozenset((DEFAULTS, IGNORE)) | STORES
WRAPPER: Final = "streams"

_SHAPE: Final = "write NAME: and below it the stream's fields, indented"
_NO_LEVEL: Final = "remove this level and begin each stream's name at the left margin"
_MEANT: Final = {
    DEFAULTS: f"did you mean {DEFAULTS}?",
    IGNORE: f"did you mean {IGNORE}?",
    WRAPPER: f"to put streams in it, {_NO_LEVEL};",
}
# So similar is a slip of the fingers, not another name.
_SIMILAR: Final = 0.8


def shape_problem(content: Any) -> tuple[FieldPath, str] | None:
    """Why a document is not a map of streams."""
    if not isinstance(content, dict):
        return (), f"is not a map of streams; {_SHAPE}"
    if _is_wrapped(content):
        return (WRAPPER,), f"is no stream; {_NO_LEVEL}"
    if not content.keys() - (RESERVED - STORES):
        return (), f"no streams; {_SHAPE}"
    return None


def ignored_patterns(block: object, report: Report) -> tuple[str, ...]:
    """The shell patterns under ``ignore``."""
    if block is None:
        return ()
    if isinstance(block, dict):
        what = "is a list of patterns of streams that status leaves out; choose another name for a stream"
        report((IGNORE,), what)
        return ()
    patterns = ListOf(Text()).read(block, (IGNORE,), report) or []
    for at in (at for at, pattern in enumerate(patterns) if pattern == ""):
        report((IGNORE, at), "is empty; write a stream's name or a pattern like 'TEMP_*'")
    return tuple(pattern for pattern in patterns if pattern)


def likely_key(name: str) -> str | None:
    """What a stream without subjects may have been meant to be."""
    close = get_close_matches(name.casefold(), _MEANT, n=1, cutoff=_SIMILAR)
    return f"has no subjects; {_MEANT[close[0]]} to capture its own name, write subjects: [{name}]" if close else None


def _is_wrapped(content: dict[str, Any]) -> bool:
    """``streams:`` around all streams, as other tools have it."""
    inner = content.get(WRAPPER)
    if content.keys() - RESERVED != {WRAPPER} or not isinstance(inner, dict) or not inner:
        return False
    return not inner.keys() & BY_NAME.keys() and all(isinstance(block, dict) for block in inner.values())
