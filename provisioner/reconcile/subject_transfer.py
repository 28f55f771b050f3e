"""Moving subjects between two streams of one stack, in one run and in whatever order it takes.

The server lets no two streams capture one subject, so it is released before it is acquired, both
in one call: no subject is without a stream for longer than the two requests take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provisioner.errors import SUBJECTS_OVERLAP, ApiError
from provisioner.reconcile.session import Session
from provisioner.rules import subjects
from provisioner.rules.normalise import captured
from provisioner.schema.model import StreamConfig, StreamInfo, StreamSpec


def with_room(
    session: Session, spec: StreamSpec, request: Callable[[], StreamInfo]
) -> tuple[StreamInfo, list[StreamSpec]]:
    """Send a request; where a subject is still with a stream of ours that gives it up, release it first.

    Returns:
        The answer, and the streams that were given fewer subjects and still have to get theirs.

    Raises:
        ApiError: the server refuses; every stream has its subjects back.
    """
    try:
        return request(), []
    except ApiError as error:
        if error.code != SUBJECTS_OVERLAP:
            raise
        with session.moving:
            return _release_and_send(session, spec, request, error)


def takers(session: Session, spec: StreamSpec, before: StreamInfo) -> Iterator[StreamSpec]:
    """The streams of the catalogue that want what an update of this one has just released."""
    released = [subject for subject in captured(before.config) if not _covers(spec.config, subject)]
    for other in session.siblings().values() if released else ():
        if other.name != spec.name and any(_covers(other.config, subject) for subject in released):
            yield other


def _release_and_send(
    session: Session, spec: StreamSpec, request: Callable[[], StreamInfo], refusal: ApiError
) -> tuple[StreamInfo, list[StreamSpec]]:
    holders = [live.config for live in _holders(session, spec)]
    if not holders:
        raise refusal
    for holder in holders:
        session.client().update({**holder, "subjects": _rest(holder, spec.config)})
    try:
        live = request()
    except ApiError:
        for holder in holders:
            session.client().update(holder)
        raise
    siblings = session.siblings()
    return live, [siblings[holder["name"]] for holder in holders if holder["name"] in siblings]


def _holders(session: Session, spec: StreamSpec) -> list[StreamInfo]:
    """Streams of ours that hold a wanted subject and will not keep it."""
    streams = session.client().streams()
    return [
        live
        for name, live in streams.items()
        if name != spec.name and _rest(live.config, spec.config) != captured(live.config) and session.gives_up(live)
    ]


def _rest(holder: StreamConfig, taker: StreamConfig) -> list[str]:
    """What is left to a stream; a subject that nobody publishes to where that is nothing."""
    kept = [subject for subject in captured(holder) if not _covers(taker, subject)]
    return kept or [subjects.released(str(holder["name"]))]


def _covers(config: StreamConfig, subject: str) -> bool:
    return any(subjects.overlap(mine, subject) for mine in captured(config))
