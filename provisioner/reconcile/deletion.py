"""Deleting one stream as its policy says, and saying why not."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from provisioner.backup.archive import Manifest
from provisioner.errors import Conflict, Unreachable
from provisioner.plan.held import held
from provisioner.plan.policies import ownership_problem, unmarked
from provisioner.reconcile import safety_backup
from provisioner.reconcile.carry import folder_of, half_carried_status
from provisioner.reconcile.context import Context
from provisioner.reconcile.loss_approval import ALLOW_LOSS, approve, may_lose
from provisioner.reconcile.objects import with_objects
from provisioner.reconcile.run_state import RunState
from provisioner.reconcile.unopened import reopened
from provisioner.rules.same_stream import is_same
from provisioner.schema.model import OnDelete, StreamInfo, StreamSpec
from provisioner.schema.stores import entry_of
from provisioner.text import approximate_size, counted

_LOG: Final = logging.getLogger(__name__)


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
    if manifest := folder_of(context, spec.name).waiting_for(info):
        _delete_half(context, spec, manifest, info)
        return
    if info is None and spec.on_delete is not OnDelete.RETAIN:
        info = reopened(context, spec, spec.name)
    if info is None or context.run.has_made(info):
        return  # it is another resource's now: the program has given the resource, not the stream, a new name
    if spec.on_delete is OnDelete.RETAIN:
        _retain(context, info)
        return
    if created and not is_same(folder_of(context, spec.name).current(created), info):
        raise Conflict(_not_ours(info, created))
    if refusal := _deletion_refusal(context, spec, with_objects(context, info)):
        raise Conflict(refusal)
    safety_backup.keep_copy(context, info)
    _LOG.info("%s: deleted with %s", spec.name, counted(info.messages, "message"))
    context.client().delete(spec.name)
    context.server.remember(spec.name, None)


def _delete_half(context: Context, spec: StreamSpec, manifest: Manifest, part: StreamInfo | None) -> None:
    """Delete what a killed run has left half carried over, where a destroy's policy or an approval lets it go."""
    if not may_lose(spec.name) and (context.run.is_up() or spec.on_delete is not OnDelete.DELETE):
        raise Conflict(half_carried(folder_of(context, spec.name).copy, manifest))
    if part:
        context.client().delete(spec.name)
    folder_of(context, spec.name).drop()


def half_carried(copy: Path, manifest: Manifest) -> str:
    """What a run that was cut short has left, and how to end it."""
    return (
        f"{manifest.name} is {half_carried_status(copy, manifest)}; run make up with the stream in the catalogue, "
        f"which completes it; or let them go: {ALLOW_LOSS}={manifest.name}"
    )


def holding(info: StreamInfo) -> str:
    """How much a stream holds."""
    if not info.messages:
        return f"no {entry_of(info.config['name'])}s"
    return f"{held(info)} ({approximate_size(info.bytes)}, oldest {info.first_time[:19]}Z)"


def is_guarded(run: RunState, info: StreamInfo) -> bool:
    """Whether guard protects what a stream holds, and the run has no approval to let it go.

    Consumers that the stack has made go with their stream.
    """
    return bool(info.messages or run.consumers_of_others(info)) and not may_lose(info.config["name"])


def contents(run: RunState, info: StreamInfo) -> str:
    """What guard protects, and how to say otherwise."""
    name = info.config["name"]
    others = counted(run.consumers_of_others(info), "consumer")
    holds = f"{held(info)} and has {others}"
    return (
        f"{name} holds {holds}, and on_delete is guard; to delete it all the same, in this run: {ALLOW_LOSS}={name}; "
        "to leave it on the server: on_delete: retain and make up"
    )


def _deletion_refusal(context: Context, spec: StreamSpec, info: StreamInfo) -> str | None:
    if problem := ownership_problem(spec, info):
        return problem
    if spec.on_delete is OnDelete.GUARD and is_guarded(context.run, info):
        return contents(context.run, info)
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
