"""What a stream hears from those it takes its messages from: values in, texts out, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.jetstream.address import DEFAULT_API
from provisioner.status.replicas import seconds_between
from provisioner.status.server_checks import Json
from provisioner.text import counted

# An origin is heard of every second, and a server asks again for one that is silent after ten.
SILENT_S: Final = 30.0
_SECOND_NS: Final = 1_000_000_000


def origin_troubles(body: Json) -> Iterator[str]:
    """Each origin, of a mirror or among sources, that a stream's INFO, or its entry of a LIST, has not heard of."""
    age_s = seconds_between(body.get("created"), body.get("ts"))
    for origin in filter(None, (body.get("mirror"), *(body.get("sources") or ()))):
        if trouble := _trouble(origin, age_s):
            yield trouble


def _trouble(origin: Json, age_s: float) -> str | None:
    if reason := (origin.get("error") or {}).get("description"):
        return f"gets nothing from {_named(origin)}: {reason}"
    heard = int(origin.get("active") or 0)
    silent_s = heard / _SECOND_NS if heard >= 0 else age_s
    if silent_s < SILENT_S:
        return None
    if heard < 0:
        return f"has never heard from {_named(origin)}: it is not there, or cannot be reached"
    behind = f", {counted(origin['lag'], 'message')} behind" if origin.get("lag") else ""
    return f"has not heard from {_named(origin)} for {silent_s:,.0f} s{behind}"


def _named(origin: Json) -> str:
    api = (origin.get("external") or {}).get("api") or DEFAULT_API
    where = f" ({api})" if api != DEFAULT_API else ""
    return f"its origin {origin['name']}{where}"
