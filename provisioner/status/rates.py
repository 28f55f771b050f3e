"""How fast figures change between two looks: values in, values out, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner.schema.consumer_model import ConsumerInfo
from provisioner.schema.model import StreamInfo
from provisioner.status.report import Report


@dataclass(frozen=True)
class Look:
    """A report, and when it was made, in seconds of a clock that only goes forward."""

    report: Report
    at_s: float


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Per second: messages into each stream, and deliveries of each consumer, by label.

    Nothing of one that was not there before, or was made again since.
    """

    streams: Mapping[str, float] = field(default_factory=dict)
    consumers: Mapping[str, float] = field(default_factory=dict)


def rates(before: Look, now: Look) -> Rates:
    """Between two looks."""
    seconds = now.at_s - before.at_s
    old_streams = {each.spec.name: each.info for each in before.report.streams}
    old_consumers = {each.spec.label: each.info for each in before.report.consumers}
    streams = {each.spec.name: _into(old_streams.get(each.spec.name), each.info) for each in now.report.streams}
    consumers = {each.spec.label: _out(old_consumers.get(each.spec.label), each.info) for each in now.report.consumers}
    return Rates(streams=_per_second(streams, seconds), consumers=_per_second(consumers, seconds))


def _into(before: StreamInfo | None, now: StreamInfo | None) -> int | None:
    if not before or not now or before.created != now.created:
        return None
    return now.last_sequence - before.last_sequence


def _out(before: ConsumerInfo | None, now: ConsumerInfo | None) -> int | None:
    if not before or not now or before.created != now.created:
        return None
    return now.deliveries - before.deliveries


def _per_second(changes: Mapping[str, int | None], seconds: float) -> dict[str, float]:
    """What goes back was restored, or reset."""
    return {name: change / seconds for name, change in changes.items() if change is not None and change >= 0}
