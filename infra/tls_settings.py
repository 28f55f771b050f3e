"""The settings of TLS that belong together, for servers of the stack's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

AUTHORITY: Final = "authority"
FILES: Final = "files"

# What only a value of tls has a use for.
_FOR_TLS: Final = {AUTHORITY: ("authority", "certificate"), FILES: ("ca", "cert", "key")}


def tls_problems(raw: Mapping[str, str]) -> Iterator[str]:
    """Settings of another kind of TLS than the one that is asked for, and the files that it lacks."""
    for tls, keys in _FOR_TLS.items():
        if raw.get("tls") != tls:
            yield from (f"{key}: has no use without tls: {tls}; remove it" for key in keys if key in raw)
    if raw.get("tls") == FILES:
        yield from (f"{key}: missing; tls: files needs one" for key in _FOR_TLS[FILES] if key not in raw)


def file(path: str | None) -> Path | None:
    """A path as a server needs it, which is started elsewhere."""
    return Path(path).expanduser().absolute() if path else None
