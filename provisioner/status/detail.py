"""One stream in depth: what a status of that stream alone shows. Values in, values out, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.jetstream.address import DEFAULT_API
from provisioner.schema.consumer_model import ConsumerInfo
from provisioner.status.server_checks import Json

# Of a stream with more subjects they are not listed: their names alone are megabytes.
MOST_SUBJECTS: Final = 10_000
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True)
class Origin:
    """A stream that this one takes its messages from.

    Attributes:
        name: of the stream.
        api: of the JetStream that has it, if that is another.
        filters: the subjects that are taken; none for all.
        lag: messages that are yet to come.
        silent_s: seconds since it was heard of; None if it never was.
        error: what the server says is wrong.
    """

    name: str
    api: str
    filters: tuple[str, ...]
    lag: int
    silent_s: float | None
    error: str


@dataclass(frozen=True, kw_only=True)
class Detail:
    """What there is of a stream beside its health.

    Attributes:
        subjects: how many messages each subject has, the most first; none where there are too many.
        origins: those of a mirror, or of its sources.
        others: its consumers that the catalogue does not have.
    """

    subjects: Mapping[str, int]
    origins: tuple[Origin, ...] = ()
    others: tuple[ConsumerInfo, ...] = ()


def detail_of(body: Json, consumers: Mapping[str, ConsumerInfo], known: Iterable[str]) -> Detail:
    """Out of an answer to INFO, and the stream's consumers.

    Args:
        body: with the counts of its subjects.
        consumers: all of them.
        known: the names of those in the catalogue.
    """
    counts = body["state"].get("subjects") or {}
    beside = set(known)
    return Detail(
        subjects=dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
        origins=tuple(_origins(body)),
        others=tuple(consumers[name] for name in sorted(consumers.keys() - beside)),
    )


def plain_detail(detail: Detail) -> dict[str, Any]:
    """Its plain form."""
    return {
        "subjects": [{"subject": subject, "messages": number} for subject, number in detail.subjects.items()],
        "origins": [vars(origin) | {"filters": list(origin.filters)} for origin in detail.origins],
        "unmanaged_consumers": [
            {"name": info.name or None, "pending": info.pending, "unacknowledged": info.unacknowledged}
            for info in detail.others
        ],
    }


def _origins(body: Json) -> Iterator[Origin]:
    for origin in filter(None, (body.get("mirror"), *(body.get("sources") or ()))):
        api = (origin.get("external") or {}).get("api") or DEFAULT_API
        heard = int(origin.get("active") or 0)
        transforms = [each["src"] for each in origin.get("subject_transforms") or ()]
        yield Origin(
            str(origin["name"]),
            "" if api == DEFAULT_API else api,
            tuple(filter(None, [origin.get("filter_subject"), *transforms])),
            int(origin.get("lag") or 0),
            heard / _SECOND_NS if heard >= 0 else None,
            str((origin.get("error") or {}).get("description") or ""),
        )
