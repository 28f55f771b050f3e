"""Bringing one stream from what it is to what is wanted. Nothing here knows Pulumi."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from provisioner import errors
from provisioner.errors import ApiError, Conflict, Unreachable
from provisioner.plan.diff import Effect, Plan, plan
from provisioner.plan.message_loss import Loss
from provisioner.plan.policies import adoption_problem, marked, ownership_problem, unmarked
from provisioner.reconcile import safety_backup, trimming
from provisioner.reconcile.context import Context
from provisioner.reconcile.loss_approval import approval_of, approve, loss_of, may_lose
from provisioner.reconcile.subject_transfer import Transfer, carry_out, transfer_around
from provisioner.rules.normalise import captured, update_request
from provisioner.rules.server_limits import surrounding_problems
from provisioner.schema.model import OnDelete, StreamConfig, StreamInfo, StreamSpec
from provisioner.text import approximate_size, counted

_LOG: Final = logging.getLogger(__name__)
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


def create(context: Context, spec: StreamSpec) -> StreamInfo:
    """Create a stream, or take over the one that is there, as ``adopt`` says.

    Raises:
        Conflict: a stream of that name may not be taken over, or only by losing messages.
        ApiError: the server refuses, with its reason and what to do.
    """
    info = context.server.current(spec.name)
    if info and not context.run.is_ours(spec.name, info) and (problem := adoption_problem(spec, info)):
        raise Conflict(f"{spec.name} {problem}")
    created = _bring(context, spec, info)
    context.run.on_made(created)
    return created


def ensure(context: Context, spec: StreamSpec, created: str | None) -> StreamInfo:
    """Bring a stream of ours to its configuration: created if it is gone, untouched if it is right.

    Args:
        context: the server and the run.
        spec: the stream.
        created: when the stream in the state was created; another of its name is taken over as
            ``adopt`` says.

    Raises:
        Conflict: it has changed since the plan in a way that needs a new stream or loses messages.
        ApiError: the server refuses, with its reason and what to do.
    """
    info = context.server.current(spec.name)
    if created:
        context.run.on_created_known(spec.name, created)
    if info and created == info.created:
        return _bring(context, spec, info)
    return create(context, spec)


def delete(context: Context, spec: StreamSpec, created: str | None) -> None:
    """Delete a stream as its policy says. Idempotent.

    Args:
        context: the server and the run.
        spec: the stream.
        created: when the stream in the state was created; another of its name is not deleted.

    Raises:
        Conflict: the policy is guard, and the stream holds messages or has consumers; or a
            replacement would lose messages that have come since its plan; or it is another stack's;
            or nobody can tell what it holds.
        BackupError: the copy that was asked for could not be made.
    """
    try:
        info = context.server.present(spec.name)
    except Unreachable as error:
        _require_nothing_to_check(context, spec, error)
        return
    if info is None or context.run.has_made(info):
        return  # it is another resource's now: the program has given the resource, not the stream, a new name
    if spec.on_delete is OnDelete.RETAIN:
        _retain(context, info)
        return
    if created and created != info.created:
        raise Conflict(_not_ours(info, created))
    if refusal := _deletion_refusal(context, spec, info):
        raise Conflict(refusal)
    safety_backup.keep_copy(context, info)
    _LOG.info("%s: deleted with %s", spec.name, counted(info.messages, "message"))
    context.client().delete(spec.name)
    context.server.remember(spec.name, None)


def holding(info: StreamInfo) -> str:
    """How much a stream holds."""
    return f"{counted(info.messages, 'message')} ({approximate_size(info.bytes)}, oldest {info.first_time[:19]}Z)"


def contents(info: StreamInfo) -> str:
    """What guard protects, and how to say otherwise."""
    messages, consumers = counted(info.messages, "message"), counted(info.consumers, "consumer")
    return (
        f"{info.config['name']} holds {messages} and has {consumers}; to delete it all the same set on_delete: delete "
        "and run make up before the next destroy, or set retain to leave it on the server"
    )


def _deletion_refusal(context: Context, spec: StreamSpec, info: StreamInfo) -> str | None:
    if problem := ownership_problem(spec, info):
        return problem
    if spec.on_delete is OnDelete.GUARD and (info.messages or info.consumers):
        return contents(info)
    if info.messages and context.run.is_up():
        how = "replacing the stream" if context.run.is_wanted(spec.name) else "leaving the catalogue"
        return "; ".join(approve(spec.name, f"{how} would delete {holding(info)}").problems) or None
    return None


def _not_ours(info: StreamInfo, created: str) -> str:
    name = info.config["name"]
    return (
        f"{name}: the stream of this state was created at {created}, the one on the server at {info.created}; it is "
        "left as it is: delete it by hand if it is to go, or forget it with pulumi state delete"
    )


def _require_nothing_to_check(context: Context, spec: StreamSpec, error: Unreachable) -> None:
    """Our own server is gone: no matter to those who do not ask what a stream holds. Unreachable is not gone."""
    known_gone = context.server.owned and not context.server.is_there()
    left_behind = known_gone and context.run.is_up() and may_lose(spec.name)
    if spec.on_delete is OnDelete.RETAIN or left_behind:
        return
    if not known_gone or spec.on_delete is OnDelete.GUARD or safety_backup.folder_for(context):
        raise Conflict(
            f"{spec.name}: {error}; so nobody can tell what it holds: start the server, "
            "or forget the stream with pulumi state delete"
        ) from error


def _retain(context: Context, info: StreamInfo) -> None:
    """Leave a stream as it is, less our mark."""
    if info.config != unmarked(info.config):
        context.server.remember(str(info.config["name"]), context.client().update(unmarked(info.config)))


def _bring(context: Context, spec: StreamSpec, info: StreamInfo | None) -> StreamInfo:
    """One request, or a transfer where subjects come from or go to other streams of ours."""
    if info and captured(info.config) != captured(spec.config) and _transfer(context, spec):
        return _bring_together(context, spec)
    try:
        return _send(context, spec, info)
    except ApiError as error:
        if error.code != errors.SUBJECTS_OVERLAP:
            raise
        context.server.forget()
        return _bring_together(context, spec)


def _bring_together(context: Context, spec: StreamSpec) -> StreamInfo:
    """Move subjects between streams; others may have done so while this one waited for its turn.

    Every stream is checked before the first subject moves.
    """
    with context.run.transferring:
        transfer = _transfer(context, spec)
        for sibling in transfer.specs.values():
            if info := context.server.current(sibling.name):
                _approved_plan(context, sibling, info)
        return carry_out(context, spec.name, transfer, lambda sibling, info: _send(context, sibling, info))


def _transfer(context: Context, spec: StreamSpec) -> Transfer:
    return transfer_around(context, spec, lambda sibling: _needs_new_stream(context, sibling))


def _needs_new_stream(context: Context, spec: StreamSpec) -> bool:
    info = context.server.seen(spec.name)
    return info is not None and plan(info.config, spec.config).effect is Effect.REPLACE


def _approved_plan(context: Context, spec: StreamSpec, info: StreamInfo) -> tuple[Plan, Loss]:
    """The plan by what is there now, and the loss it means.

    Raises:
        Conflict: the preflight could not see it: another owner's mark, a need for a new stream, a loss
            that nobody has approved.
    """
    if problem := ownership_problem(spec, info):
        raise Conflict(problem)
    planned = plan(info.config, spec.config)
    if planned.effect > Effect.UPDATE:
        raise Conflict(f"{spec.name} {_why_not(planned)}; run pulumi up again for a new plan")
    loss = loss_of(context, spec, info, planned)
    if problems := approval_of(spec.name, loss).problems:
        raise Conflict("; ".join(problems))
    return planned, loss


def _send(context: Context, spec: StreamSpec, info: StreamInfo | None) -> StreamInfo:
    """The one request that a stream needs, if any."""
    if info is None:
        return _create(context, spec)
    planned, loss = _approved_plan(context, spec, info)
    _LOG.debug("%s: %s %s", spec.name, planned.effect.name, ", ".join(map(str, planned.changes)))
    if planned.effect is Effect.NOTHING:
        return info
    if loss:
        safety_backup.keep_copy(context, info)
    return _requested(context, spec, lambda: trimming.update(context, marked(spec, update_request(spec.config))))


def _create(context: Context, spec: StreamSpec) -> StreamInfo:
    _LOG.debug("%s: CREATE", spec.name)
    try:
        return _requested(context, spec, lambda: context.client().create(marked(spec, spec.config)))
    except ApiError as error:
        if error.code != errors.NAME_IN_USE:
            raise
    return create(context, spec)  # somebody was faster by a moment


def _requested(context: Context, spec: StreamSpec, request: Callable[[], StreamInfo]) -> StreamInfo:
    """The answer; a refusal with the details that the server's words leave out.

    Raises:
        ApiError: the server refuses.
    """
    try:
        info = request()
    except ApiError as error:
        raise _explained(context, spec.config, error) from error
    context.server.remember(spec.name, info)
    context.run.on_made(info)
    return info


def _why_not(planned: Plan) -> str:
    reasons = ", ".join(map(str, planned.problems)) or f"needs a new stream for {', '.join(planned.replaces)}"
    return f"has changed since the plan: {reasons}"


def _explained(context: Context, config: StreamConfig, error: ApiError) -> ApiError:
    context.server.forget()
    problems = surrounding_problems(config, context.server.facts(config["name"]))
    details = "; ".join(map(str, problems)) or _HINTS.get(error.code, "")
    explained = f"{config['name']}: {error.description}" + (f": {details}" if details else "")
    return ApiError(error.code, explained)
