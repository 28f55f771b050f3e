"""Bringing one stream from what it is to what is wanted. Nothing here knows Pulumi."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from provisioner import errors
from provisioner.errors import ApiError, Conflict
from provisioner.plan.diff import Effect, Plan, plan
from provisioner.plan.message_loss import Loss
from provisioner.plan.policies import adoption_problem, marked, ownership_problem
from provisioner.reconcile import safety_backup, trimming
from provisioner.reconcile.carry import carry_over, completed, folder_of, let_go
from provisioner.reconcile.context import Context
from provisioner.reconcile.intake import update
from provisioner.reconcile.loss_approval import approval_of, loss_of
from provisioner.reconcile.renaming import note_successor, plan_renaming, predecessor, renaming_problems
from provisioner.reconcile.subject_transfer import Transfer, carry_out, transfer_around
from provisioner.reconcile.unopened import note_reopened, reopened, require_consumers
from provisioner.rules.normalise import captured, update_request
from provisioner.rules.server_limits import surrounding_problems
from provisioner.schema.config import with_fields
from provisioner.schema.model import StreamConfig, StreamInfo, StreamSpec

# A smaller stream tells nothing of the rate at which messages are carried over.
_TELLING_BYTES: Final = 4 * 1024 * 1024

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
    info = _found(context, spec)
    if old := predecessor(context, spec, info):
        return _renamed(context, spec, old, info)
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
    info = _found(context, spec)
    if created and (now := folder_of(context, spec.name).current(created)):
        context.run.on_created_known(spec.name, now)
    if info and context.run.is_ours(spec.name, info) and not predecessor(context, spec, info):
        return _bring(context, spec, info)
    return create(context, spec)


def _found(context: Context, spec: StreamSpec) -> StreamInfo | None:
    """What is on the server now, whole; known for ours if a run made it that was killed."""
    info = completed(context, spec, context.server.current(spec.name)) or reopened(context, spec, spec.name)
    note_successor(context, spec, info)
    note_reopened(context, info)
    if spec.renamed_from and not context.server.current(spec.renamed_from):
        reopened(context, spec, spec.renamed_from)
    return info


def _renamed(context: Context, spec: StreamSpec, old: StreamInfo, info: StreamInfo | None) -> StreamInfo:
    """The old stream's messages and consumers under the new name."""
    planned = plan_renaming(spec, old)
    loss = loss_of(context, spec, old, planned)
    if problems := [*renaming_problems(context, spec, old, info), *approval_of(spec.name, loss).problems]:
        raise Conflict(f"{spec.name}: {'; '.join(problems)}")
    return _carried(context, spec, old, loss)


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
        return carry_out(
            context,
            spec.name,
            transfer,
            lambda sibling, info: _send(context, sibling, info or reopened(context, sibling, sibling.name)),
        )


def _transfer(context: Context, spec: StreamSpec) -> Transfer:
    return transfer_around(context, spec, lambda sibling: _needs_new_stream(context, sibling))


def _needs_new_stream(context: Context, spec: StreamSpec) -> bool:
    info = context.server.seen(spec.name)
    return info is not None and plan(info.config, spec.config).effect > Effect.UPDATE


def _approved_plan(context: Context, spec: StreamSpec, info: StreamInfo) -> tuple[Plan, Loss]:
    """The plan by what is there now, and the loss it means.

    Raises:
        Conflict: the preflight could not see it: another owner's mark, a need for a new stream, a loss
            that nobody has approved.
    """
    if problem := ownership_problem(spec, info):
        raise Conflict(problem)
    planned = plan(info.config, spec.config)
    if planned.effect >= Effect.REPLACE:
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
        let_go(context, spec, info)
        return info
    if planned.effect is Effect.CARRY:
        return _carried(context, spec, info, loss)
    if loss:
        safety_backup.keep_copy(context, info)
    return _updated(context, spec)


def _carried(context: Context, spec: StreamSpec, info: StreamInfo, loss: Loss) -> StreamInfo:
    """A new stream in the place of the old one, then the wanted configuration; if that is refused, the old subjects."""
    require_consumers(context, info)
    began = time.monotonic()
    successor = carry_over(context, spec, info, loss.messages.most)
    try:
        updated = _updated(context, spec)
    except ApiError:
        intake = {"subjects": info.config["subjects"], "sources": info.config["sources"]}
        update(context, with_fields(successor.config, intake))
        raise
    if info.bytes >= _TELLING_BYTES:
        context.run.carry_rate = int(info.bytes / (time.monotonic() - began))
    return updated


def _updated(context: Context, spec: StreamSpec) -> StreamInfo:
    config = marked(spec, update_request(spec.config))
    info = _requested(context, spec, lambda: trimming.update(context, config))
    let_go(context, spec, info)
    return info


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
    details = "; ".join(each.said_of(config["name"]) for each in problems) or _HINTS.get(error.code, "")
    explained = f"{config['name']}: {error.description}" + (f": {details}" if details else "")
    return ApiError(error.code, explained)
