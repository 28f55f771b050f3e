"""What differs from the catalogue, as data: values in, values out, no I/O. The verdicts are those of the planner.

The plain form is what ``drift --json`` prints; keys are added, never renamed or removed:

    exit_code    0 no drift, 1 drift, 2 not known
    error        why it is not known, one line or more; else null
    server       where the streams are
    compared     how many of each kind the catalogue has: streams, buckets and object stores among them, consumers
    drift        kind (stream, bucket, object store, consumer), stream (of a consumer; else null), name, state,
                 text (lines for people), differences (field, wanted, live, in a catalogue's words)

The states: ``drift`` (settings differ), ``missing``, ``partial`` (half restored or carried over), ``made again`` since
the last up, ``half replaced`` (a consumer), ``unmanaged`` (not in the catalogue).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.catalogue.model import Catalogue
from provisioner.plan.consumer_diff import ConsumerChange
from provisioner.plan.diff import Change
from provisioner.rules.same_stream import is_same
from provisioner.rules.stream_names import unmanaged
from provisioner.schema.consumer_fields import CONSUMER_FIELD
from provisioner.schema.consumer_model import KEEPER, ConsumerInfo, by_stream
from provisioner.schema.fields import BY_NAME
from provisioner.schema.stores import kind_of, own_name
from provisioner.schema.types import Field
from provisioner.status.consumers import ConsumerHealth, consumer_compared
from provisioner.status.listing import Listing
from provisioner.status.stream_checks import StreamHealth, compared

CLEAN, DRIFT, UNKNOWN = 0, 1, 2
_GONE: Final = {"missing", "partial"}
_CONSUMER: Final = "consumer"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One thing that is not as the catalogue says.

    Attributes:
        kind: stream, bucket, object store or consumer; of what is unmanaged, key-value bucket or object bucket.
        name: as the catalogue has it.
        state: one of those of the module's docstring.
        lines: what is wrong, for people.
        differences: field, wanted and live, in a catalogue's words.
        stream: the one that a consumer is on.
    """

    kind: str
    name: str
    state: str
    lines: tuple[str, ...]
    differences: tuple[Mapping[str, Any], ...] = ()
    stream: str | None = None

    @property
    def label(self) -> str:
        """How a line names it."""
        return f"{self.stream}/{self.name}" if self.stream else self.name


def drift_of(
    streams: Iterable[StreamHealth], consumers: Iterable[ConsumerHealth], created: Mapping[str, str | None]
) -> tuple[Drift, ...]:
    """Everything that ``up`` would bring back.

    Args:
        streams: the catalogue's, examined.
        consumers: likewise.
        created: when each stream of the state was created, as far as that is known.
    """
    found = (*(_of_stream(each, created) for each in streams), *map(_of_consumer, consumers))
    return tuple(filter(None, found))


def unmanaged_drift(catalogue: Catalogue, listing: Listing) -> Iterator[Drift]:
    """The streams and durable consumers that the catalogue does not name, without what it ignores."""
    names = [spec.name for spec in catalogue.streams]
    for other in unmanaged(listing.streams or (), names, catalogue.ignore):
        yield _unmanaged(other.kind, other.name)
    managed = by_stream(catalogue.consumers)
    for stream, present in listing.consumers.items():
        known = {spec.name for spec in managed.get(stream, ())}
        staying = (name for name in sorted(present.keys() - known) if _is_to_stay(present[name]))
        yield from (_unmanaged(_CONSUMER, name, stream) for name in staying)


def plain_drift(drift: Drift) -> dict[str, Any]:
    """The form that this module's docstring describes."""
    return {
        "kind": drift.kind,
        "stream": drift.stream,
        "name": drift.name,
        "state": drift.state,
        "text": list(drift.lines),
        "differences": list(drift.differences),
    }


def _unmanaged(kind: str, name: str, stream: str | None = None) -> Drift:
    return Drift(kind=kind, name=name, stream=stream, state="unmanaged", lines=("is not in the catalogue",))


def _is_to_stay(info: ConsumerInfo) -> bool:
    """Whether somebody made it to stay; ephemeral ones come and go, and the keepers of positions are an up's."""
    return bool(info.name) and not info.name.startswith(KEEPER)


def _of_stream(health: StreamHealth, created: Mapping[str, str | None]) -> Drift | None:
    name = health.spec.name
    kind = kind_of(name)
    before = created.get(name)
    renewed = bool(health.info and before and not is_same(before, health.info))
    state = health.state if health.state in _GONE else "made again" if renewed else "drift" if health.changes else None
    if state is None:
        return None
    gone = [result.text for result in health.results if health.state in _GONE]
    again = [f"is not the stream of the last up: restored, or made again, at {_at(health)}"] if renewed else []
    return Drift(
        kind=kind.noun if kind else "stream",
        name=own_name(name),
        state=state,
        lines=(*gone, *again, *(f"{change.label}: {compared(change)}" for change in health.changes)),
        differences=tuple(_difference(BY_NAME[change.field], change, change.label) for change in health.changes),
    )


def _at(health: StreamHealth) -> str:
    return f"{health.info.created[:19]}Z" if health.info else "?"


def _of_consumer(health: ConsumerHealth) -> Drift | None:
    """That of a stream which is not there is missing with it."""
    states = {"unknown": "missing", "missing": "missing", "half replaced": "half replaced"}
    state = states.get(health.state, "drift" if health.changes else "")
    if not state:
        return None
    gone = [result.text for result in health.results] if state != "drift" else []
    return Drift(
        kind=_CONSUMER,
        name=health.spec.name,
        stream=health.spec.stream,
        state=state,
        lines=(*gone, *map(consumer_compared, health.changes)) or ("its stream is not on the server",),
        differences=tuple(_difference(CONSUMER_FIELD[each.field], each, each.field) for each in health.changes),
    )


def _difference(field: Field, change: Change | ConsumerChange, word: str) -> dict[str, Any]:
    wanted, live = (None if value is None else field.type.show(value) for value in (change.new, change.old))
    return {"field": word, "wanted": wanted, "live": live}
