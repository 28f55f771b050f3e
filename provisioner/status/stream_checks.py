"""Checks of streams, the catalogue's against the server's: values in, results out, no I/O."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from provisioner.errors import ApiError, ProvisionerError, Unreachable
from provisioner.plan.diff import Change, differences
from provisioner.rules.fullness import consequence
from provisioner.rules.restore_mark import RestoreMark, mark_of, part_held
from provisioner.schema.fields import BY_NAME
from provisioner.schema.model import StreamInfo, StreamSpec
from provisioner.schema.scalars import Size
from provisioner.schema.types import Wire
from provisioner.status.listing import Listing
from provisioner.status.replicas import Placement, group_results
from provisioner.status.server_checks import NEARLY_FULL, Result, Severity, worst
from provisioner.text import approximate_size, distinct_sizes

_ASYNC: Final = "persist_mode async: messages are acknowledged before they are written; a crash loses the latest"


@dataclass(frozen=True)
class StreamHealth:
    """One stream of the catalogue.

    Attributes:
        state: ok, drift, nearly full, cut off, partial, missing or unknown; in a cluster also degraded, no quorum,
            no leader or silent.
        placement: where it is in a cluster.
    """

    spec: StreamSpec
    state: str
    results: tuple[Result, ...]
    info: StreamInfo | None = None
    changes: tuple[Change, ...] = ()
    placement: Placement | None = None

    @property
    def severity(self) -> Severity:
        """The gravest of its results."""
        return worst(result.severity for result in self.results)


def examine(
    specs: Iterable[StreamSpec], listing: Listing, copies: Mapping[str, Sequence[Path]]
) -> tuple[StreamHealth, ...]:
    """Each stream of the catalogue.

    Args:
        specs: the catalogue's.
        listing: what the server says.
        copies: of streams that a run has not carried over to the end.
    """
    if listing.streams is None:
        return tuple(_unexamined(spec, "unknown", Severity.UNKNOWN, "the server could not be asked") for spec in specs)
    return tuple(_found(spec, listing, copies.get(spec.name, ())) for spec in specs)


def _found(spec: StreamSpec, listing: Listing, copies: Sequence[Path]) -> StreamHealth:
    if silence := listing.silent.get(spec.name):
        return _unexamined(spec, *_silence(silence))
    streams = listing.streams or {}
    health = _examined(spec, streams.get(spec.name), copies, listing.placements.get(spec.name))
    return _fed(health, listing.origins.get(spec.name, ()))


def _fed(health: StreamHealth, troubles: Iterable[str]) -> StreamHealth:
    """The same, and what is wrong with its origins: other states outweigh that one."""
    cut_off = tuple(Result(health.spec.name, Severity.WARNING, text) for text in troubles)
    if not cut_off:
        return health
    others = tuple(result for result in health.results if result.severity)
    return replace(health, state="cut off" if health.state == "ok" else health.state, results=(*others, *cut_off))


def _silence(error: ProvisionerError) -> tuple[str, Severity, str]:
    """What serves nobody is critical, what could not be asked is unknown."""
    if isinstance(error, (Unreachable, ApiError)):
        return "silent", Severity.CRITICAL, str(error)
    return "unknown", Severity.UNKNOWN, str(error)


def partial_results(streams: Mapping[str, StreamInfo], without: Container[str]) -> Iterator[Result]:
    """The streams beside the catalogue's that a restore has not completed."""
    for name, info in streams.items():
        if name not in without and (mark := mark_of(info.config)):
            yield Result(name, Severity.WARNING, _part(info, mark))


def _part(info: StreamInfo, mark: RestoreMark) -> str:
    return f"partial: {part_held(info, mark)}; run {mark.command}"


def shown(field: str, wire: Wire) -> str:
    """A field's value on one line, for people."""
    if _is_size(field) and wire > 0:
        return approximate_size(wire)
    value = None if wire is None else BY_NAME[field].type.show(wire)
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        value = ", ".join(value)
    if value in (None, "", {}):
        return "none"
    return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def compared(change: Change) -> str:
    """``7d (live: 1d)``."""
    desired, actual = shown(change.field, change.new), shown(change.field, change.old)
    if desired == actual and _is_size(change.field):
        desired, actual = distinct_sizes(change.new, change.old)
    return f"{desired} (live: {actual})"


def _is_size(field: str) -> bool:
    return isinstance(BY_NAME[field].type, Size)


def percentages(info: StreamInfo) -> dict[str, float]:
    """How full a stream is, for each limit it has."""
    used = {"max_bytes": info.bytes, "max_msgs": info.messages}
    limits = {"max_bytes": info.config["max_bytes"], "max_msgs": info.config["max_msgs"]}
    return {name: 100 * used[name] / limit for name, limit in limits.items() if limit > 0}


def _unexamined(spec: StreamSpec, state: str, severity: Severity, text: str) -> StreamHealth:
    return StreamHealth(spec, state, (Result(spec.name, severity, text),))


def _examined(
    spec: StreamSpec, info: StreamInfo | None, copies: Sequence[Path], where: Placement | None
) -> StreamHealth:
    if info is None and copies:
        what = f"is half carried over: its messages are in {', '.join(map(str, copies))}; pulumi up completes it"
        return _unexamined(spec, "partial", Severity.CRITICAL, what)
    if info is None:
        return _unexamined(spec, "missing", Severity.CRITICAL, "is not on the server")
    if mark := mark_of(info.config):
        partial = _unexamined(spec, "partial", Severity.CRITICAL, _part(info, mark))
        return replace(partial, info=info, placement=where)
    return _compared(spec, info, where)


def _compared(spec: StreamSpec, info: StreamInfo, where: Placement | None) -> StreamHealth:
    group = tuple(group_results(spec.name, where))
    changes = differences(info.config, spec.config)
    drift = [Result(spec.name, Severity.WARNING, f"{change.label}: {compared(change)}") for change in changes]
    full = [Result(spec.name, Severity.WARNING, text) for text in _nearly_full(info)]
    late = [Result(spec.name, Severity.WARNING, _ASYNC)] if info.config["persist_mode"] == "async" else []
    states: tuple[tuple[object, str], ...] = (
        (where and not where.leader, "no leader"),
        (where and not where.has_quorum, "no quorum"),
        (drift, "drift"),
        (full, "nearly full"),
        (group, "degraded"),
    )
    state = next((word for applies, word in states if applies), "ok")
    healthy = Result(spec.name, Severity.OK, "is as the catalogue says")
    return StreamHealth(spec, state, (*group, *drift, *full, *late) or (healthy,), info, changes, where)


def _nearly_full(info: StreamInfo) -> Iterator[str]:
    """Each limit the stream is about to reach, and what happens then; nothing where that is intended."""
    what_follows = consequence(info.config)
    for limit, percent in percentages(info).items():
        if what_follows and percent > 100 * NEARLY_FULL:
            yield f"{percent:.0f} % of {limit}: {what_follows}"
