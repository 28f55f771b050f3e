"""Bringing one stream from what it is to what is wanted.

Nothing here knows Pulumi: the adapter in ``stream`` calls it, and so could anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from provisioner import errors
from provisioner.errors import ApiError, Conflict, Unreachable
from provisioner.plan.diff import Effect, Plan, plan
from provisioner.plan.policies import adoption_problem, marked, ownership_problem, unmarked
from provisioner.reconcile import safety_backup as copies
from provisioner.reconcile import subject_transfer as moving
from provisioner.reconcile.loss_approval import how_to_allow, loss_of, may_lose, refusals
from provisioner.reconcile.session import Session
from provisioner.rules.normalise import update_request
from provisioner.rules.server_limits import surrounding_problems
from provisioner.schema.model import OnDelete, StreamConfig, StreamInfo, StreamSpec
from provisioner.text import counted

_HINTS: Final = {
    errors.JETSTREAM_OFF: "switch JetStream on in the server's configuration",
    errors.JETSTREAM_OFF_FOR_ACCOUNT: "switch JetStream on for this account",
    errors.NO_STORAGE: "lower max_bytes or give the server more storage",
    errors.NO_MEMORY: "lower max_bytes or give the server more memory",
    errors.NO_RESOURCES: "lower max_bytes or give the account more storage",
    errors.MAX_BYTES_REQUIRED: "set max_bytes",
    errors.NO_META_LEADER: "the cluster has no leader: wait for it, or start more of its servers",
    errors.NO_PEERS: "fewer num_replicas, or another placement",
    errors.STREAM_OFFLINE: "the stream needs a newer server than the one that holds it",
    errors.MAX_STREAMS: "raise the account's limit on streams",
    errors.UNKNOWN_FIELD: "this server is older than the field: leave it out or upgrade",
}


def create(session: Session, spec: StreamSpec) -> StreamInfo:
    """Make a stream, or take over the one that is there, as ``adopt`` says.

    Raises:
        Conflict: a stream of that name may not be taken over, or only by losing messages.
        ApiError: the server refuses, with its reason and what to do.
    """
    live = session.fresh(spec.name)
    return _create(session, spec) if live is None else _take_over(session, spec, live)


def ensure(session: Session, spec: StreamSpec) -> StreamInfo:
    """Bring a stream of ours to its configuration: created if it is gone, untouched if it is right.

    Raises:
        Conflict: it has changed since the plan in a way that needs a new stream or loses messages.
        ApiError: the server refuses, with its reason and what to do.
    """
    live = session.fresh(spec.name)
    if live is None:
        return _create(session, spec)
    if foreign := ownership_problem(spec, live):
        raise Conflict(foreign)
    return _update(session, spec, live)


def delete(session: Session, spec: StreamSpec) -> None:
    """Delete a stream as its policy says; one that is gone already is no error.

    Raises:
        Conflict: the policy is guard, and the stream holds messages or has consumers; or a
            replacement would lose messages that have come since its plan; or it is another stack's;
            or nobody can tell what it holds.
        BackupError: the copy that was asked for could not be made.
    """
    try:
        live = session.present(spec.name)
    except Unreachable as error:
        _forget(session, spec, error)
        return
    if live is None:
        return
    if spec.on_delete is OnDelete.RETAIN:
        _let_go(session, live)
        return
    if refused := _not_to_delete(session, spec, live):
        raise Conflict(refused)
    copies.keep_copy(session, live)
    session.client().delete(spec.name)
    session.remember(spec.name, None)


def contents(live: StreamInfo) -> str:
    """What guard protects, and how to say otherwise."""
    messages, consumers = counted(live.messages, "message"), counted(live.consumers, "consumer")
    return (
        f"{live.config['name']} holds {messages} and has {consumers}; "
        "set on_delete: delete to delete it all the same, or retain to leave it"
    )


def _not_to_delete(session: Session, spec: StreamSpec, live: StreamInfo) -> str | None:
    if foreign := ownership_problem(spec, live):
        return foreign
    if spec.on_delete is OnDelete.GUARD and (live.messages or live.consumers):
        return contents(live)
    if live.messages and spec.name in session.replacing and not may_lose(spec.name):
        held = f"{spec.name} holds {counted(live.messages, 'message')} that a replacement would lose"
        return f"{held}; {how_to_allow(spec.name)}"
    return None


def _forget(session: Session, spec: StreamSpec, error: Unreachable) -> None:
    """The server is gone: no matter to those who do not ask what a stream holds."""
    if spec.on_delete is OnDelete.GUARD or copies.wanted(session):
        raise Conflict(
            f"{spec.name}: {error}; so nobody can tell what it holds: start the server, "
            "or forget the stream with pulumi state delete"
        ) from error


def _let_go(session: Session, live: StreamInfo) -> None:
    """Leave a stream as it is, less our mark."""
    if live.config != unmarked(live.config):
        session.remember(live.config["name"], session.client().update(unmarked(live.config)))


def _take_over(session: Session, spec: StreamSpec, live: StreamInfo) -> StreamInfo:
    if foreign := ownership_problem(spec, live):
        raise Conflict(foreign)
    if problem := adoption_problem(spec, live):
        raise Conflict(f"{spec.name} {problem}")
    return _update(session, spec, live)


def _create(session: Session, spec: StreamSpec) -> StreamInfo:
    try:
        return _sent(session, spec, lambda: session.client().create(marked(spec, spec.config)))
    except ApiError as error:
        if error.code != errors.NAME_IN_USE:
            raise
    live = session.fresh(spec.name)  # somebody was faster by a moment
    return _create(session, spec) if live is None else _take_over(session, spec, live)


def _update(session: Session, spec: StreamSpec, live: StreamInfo) -> StreamInfo:
    planned = plan(live.config, spec.config)
    if planned.effect is Effect.NOTHING:
        return live
    if planned.effect is not Effect.UPDATE:
        raise Conflict(f"{spec.name} {_why_not(planned)}; run pulumi up again for a new plan")
    loss = loss_of(session, spec, live, planned)
    if refused := refusals(spec.name, loss):
        raise Conflict("; ".join(refused))
    if loss:
        copies.keep_copy(session, live)
    updated = _sent(session, spec, lambda: session.client().update(marked(spec, update_request(spec.config))))
    for taker in moving.takers(session, spec, live):
        (ensure if taker.name in session.managed else create)(session, taker)
    return updated


def _sent(session: Session, spec: StreamSpec, request: Callable[[], StreamInfo]) -> StreamInfo:
    """A CREATE or UPDATE; subjects that another stream of ours gives up are released for it first."""
    try:
        live, released = moving.with_room(session, spec, request)
    except ApiError as error:
        raise _explained(session, spec.config, error) from error
    session.remember(spec.name, live)
    for other in released:
        ensure(session, other)
    return live


def _why_not(planned: Plan) -> str:
    reasons = ", ".join(map(str, planned.problems)) or f"needs a new stream for {', '.join(planned.replaces)}"
    return f"has changed since the plan: {reasons}"


def _explained(session: Session, config: StreamConfig, error: ApiError) -> ApiError:
    """The server's refusal, with the details its words leave out."""
    session.forget()
    problems = surrounding_problems(config, session.facts(config["name"]))
    details = "; ".join(map(str, problems)) or _HINTS.get(error.code, "")
    explained = f"{config['name']}: {error.description}" + (f": {details}" if details else "")
    return ApiError(error.code, explained)
