"""Checks of streams, the catalogue's against the server's: values in, results out, no I/O."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from provisioner.errors import ApiError, ProvisionerError, Unreachable
from provisioner.plan.diff import Change, differences
from provisioner.rules.restore_mark import RestoreMark, mark_of, part_held
from provisioner.rules.stream_names import Unmanaged
from provisioner.schema.fields import BY_NAME
from provisioner.schema.model import StreamInfo, StreamSpec
from provisioner.schema.scalars import Size
from provisioner.schema.types import Wire
from provisioner.status.figures import stream_findings
from provisioner.status.listing import Listing
from provisioner.status.replicas import Placement, group_results
from provisioner.status.server_checks import Result, Severity, worst
from provisioner.status.thresholds import STREAM_THRESHOLDS, StreamThresholds, of_stream, unreadable
from provisioner.text import approximate_size, distinct_sizes

_ASYNC: Final = "persist_mode async: messages are acknowledged before they are written; a crash loses the latest"


@dataclass(frozen=True)
class StreamHealth:
    """One stream of the catalogue.

    Attributes:
        state: ok, drift, nearly full, nearly empty, quiet, cut off, partial, missing or unknown; in a cluster also
            degraded, no quorum, no leader or silent.
        placement: where it is in a cluster.
        thresholds: what its figures were compared with.
    """

    spec: StreamSpec
    state: str
    results: tuple[Result, ...]
    info: StreamInfo | None = None
    changes: tuple[Change, ...] = ()
    placement: Placement | None = None
    thresholds: StreamThresholds = STREAM_THRESHOLDS

    @property
    def severity(self) -> Severity:
        """The gravest of its results."""
        return worst(result.severity for result in self.results)


def examine(
    specs: Iterable[StreamSpec],
    listing: Listing,
    copies: Mapping[str, Sequence[Path]],
    thresholds: StreamThresholds = STREAM_THRESHOLDS,
    now: datetime | None = None,
) -> tuple[StreamHealth, ...]:
    """Each stream of the catalogue.

    Args:
        specs: the catalogue's.
        listing: what the server says.
        copies: of streams that a run has not carried over to the end.
        thresholds: of a stream of which the catalogue says no others.
        now: the time, without which no silence is judged.
    """
    if listing.streams is None:
        return tuple(_unexamined(spec, "unknown", Severity.UNKNOWN, "the server could not be asked") for spec in specs)
    judge = _Judge(thresholds, now)
    return tuple(_found(spec, listing, copies.get(spec.name, ()), judge) for spec in specs)


class _Judge(NamedTuple):
    thresholds: StreamThresholds
    now: datetime | None


def _found(spec: StreamSpec, listing: Listing, copies: Sequence[Path], judge: _Judge) -> StreamHealth:
    if silence := listing.silent.get(spec.name):
        return _unexamined(spec, *_silence(silence))
    streams = listing.streams or {}
    where = listing.placements.get(spec.name)
    info = streams.get(spec.name)
    if info is None:
        health = _absent(spec, copies)
    elif mark := mark_of(info.config):
        health = replace(_unexamined(spec, "partial", Severity.CRITICAL, _part(info, mark)), info=info, placement=where)
    else:
        health = _compared(spec, info, where, judge)
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


def unmanaged_results(others: Iterable[Unmanaged]) -> Iterator[Result]:
    """The streams that the catalogue does not name, where they are unwelcome."""
    for other in others:
        what = f"{other} is not in the catalogue; a pattern under ignore: in the catalogue lets it be"
        yield Result(other.stream, Severity.WARNING, what)


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


def _unexamined(spec: StreamSpec, state: str, severity: Severity, text: str) -> StreamHealth:
    return StreamHealth(spec, state, (Result(spec.name, severity, text),))


def _absent(spec: StreamSpec, copies: Sequence[Path]) -> StreamHealth:
    if not copies:
        return _unexamined(spec, "missing", Severity.CRITICAL, "is not on the server")
    what = f"is half carried over: its messages are in {', '.join(map(str, copies))}; pulumi up completes it"
    return _unexamined(spec, "partial", Severity.CRITICAL, what)


def _compared(spec: StreamSpec, info: StreamInfo, where: Placement | None, judge: _Judge) -> StreamHealth:
    thresholds = of_stream(spec, judge.thresholds)
    group = tuple(group_results(spec.name, where))
    changes = differences(info.config, spec.config)
    drift = [Result(spec.name, Severity.WARNING, f"{change.label}: {compared(change)}") for change in changes]
    findings = [*stream_findings(info, thresholds, judge.now)]
    found = [Result(spec.name, finding.severity, finding.text) for finding in findings]
    found += [Result(spec.name, Severity.WARNING, text) for text in unreadable(spec.config["metadata"])]
    late = [Result(spec.name, Severity.WARNING, _ASYNC)] if info.config["persist_mode"] == "async" else []
    states: tuple[tuple[object, str], ...] = (
        (where and not where.leader, "no leader"),
        (where and not where.has_quorum, "no quorum"),
        (drift, "drift"),
        *((True, finding.state) for finding in findings),
        (group, "degraded"),
    )
    state = next((word for applies, word in states if applies), "ok")
    healthy = Result(spec.name, Severity.OK, "is as the catalogue says")
    return StreamHealth(spec, state, (*group, *drift, *found, *late) or (healthy,), info, changes, where, thresholds)
