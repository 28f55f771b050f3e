"""Moving a stack's streams to other data: another server, another kind of server, another folder.

The old server may be gone before the new one is there. So every stream is copied first, by the estate, for which
all other resources wait; each is then restored where it is to be, and deleted where it was if that still answers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from provisioner.backup.archive import Manifest
from provisioner.backup.carry_folder import CarryFolder
from provisioner.backup.folder_lock import locked
from provisioner.errors import Conflict, ProvisionerError
from provisioner.plan.diff import Effect, plan
from provisioner.reconcile.carry import copied, folder_of, half_carried_status, put_back
from provisioner.reconcile.carry_preflight import carry_problems
from provisioner.reconcile.context import Context
from provisioner.reconcile.deletion import holding
from provisioner.reconcile.intake import stopped_intake, update
from provisioner.reconcile.loss_approval import approval_of, loss_of
from provisioner.reconcile.verdict import Verdict
from provisioner.rules.intake import is_closed
from provisioner.rules.same_stream import is_same
from provisioner.schema.model import StreamInfo, StreamSpec

# The environment variable with which a run takes the messages along to other data.
MOVE_DATA: Final = "STREAMS_MOVE_DATA"


def is_asked_for() -> bool:
    """Whether this run takes messages along."""
    return bool(os.environ.get(MOVE_DATA))


def is_copied(source: Context, name: str, info: StreamInfo) -> bool:
    """Whether a run that was cut short has copied a stream to move it, and nothing has come since."""
    manifest = folder_of(source, name).manifest()
    return manifest is not None and is_closed(info.config) and is_same(manifest.created, info)


def moving_preflight(
    source: Context, spec: StreamSpec, info: StreamInfo, stores: tuple[str, str], present: StreamInfo | None
) -> Verdict:
    """What moving one stream means and what is in its way.

    Args:
        source: the server that has it.
        spec: the stream as it is wanted.
        info: the stream as it is.
        stores: the old data and the new one, for people.
        present: what has its name where it is to be.
    """
    planned = plan(info.config, spec.config)
    problems = [*map(str, planned.problems), *carry_problems(source, spec, info)]
    if planned.effect is Effect.REPLACE:
        problems.append(f"messages cannot be moved through a change of {', '.join(planned.replaces)}")
    if present and not is_copied(source, spec.name, info) and not present.is_empty:
        problems.append(
            f"{stores[1]} has a stream of this name, with {holding(present)}; delete it, or take another name"
        )
    approval = approval_of(spec.name, loss_of(source, spec, info, planned))
    move = f"moves from {stores[0]} to {stores[1]} with {holding(info)}"
    note = f"{spec.name}: {move}; it takes in nothing until it is there"
    return Verdict((*(f"{spec.name}: {each}" for each in problems), *approval.problems), (note, *approval.notes))


def copy_out(source: Context, specs: Mapping[str, StreamSpec]) -> None:
    """Copy every stream of ours that is to be elsewhere; it takes in nothing any more.

    Raises:
        ProvisionerError: one could not be copied; all of them are as they were.
    """
    closed: list[StreamInfo] = []
    try:
        for spec in specs.values():
            info = source.server.current(spec.name)
            if info and source.run.is_ours(spec.name, info) and not is_copied(source, spec.name, info):
                _copy(source, spec, info)
                closed.append(info)
    except ProvisionerError:
        for info in closed:
            update(source, info.config)
        raise


def move_in(context: Context, spec: StreamSpec, folder: CarryFolder) -> Manifest | None:
    """Restore a stream from the copy that was made to move it; what was restored, None without such a copy.

    Raises:
        Conflict: the server has another stream of this name.
        BackupError: it cannot be restored; the copy is whole.
    """
    manifest, info = folder.manifest(), context.server.current(spec.name)
    if not manifest:
        return None
    if info and folder_of(context, spec.name).has_successor(info) and not folder.waiting_for(info):
        context.run.on_created_known(spec.name, info.created)
        return manifest
    if info and not info.is_empty and not folder.waiting_for(info):
        raise Conflict(
            f"{spec.name}: a stream of this name is there, with {holding(info)}; {_status(folder, manifest)}"
        )
    with locked(folder.path):
        put_back(context, folder, spec, manifest, manifest.messages)
    return manifest


def move_out(source: Context, folder: CarryFolder, manifest: Manifest) -> None:
    """Delete a stream where it was, now that it is elsewhere; of a server that is gone, there is nothing to delete."""
    try:
        info = source.server.present(folder.stream)
        if info and is_same(manifest.created, info) and is_closed(info.config):
            source.client().delete(folder.stream)
            source.server.remember(folder.stream, None)
    except ProvisionerError:
        return


def _copy(source: Context, spec: StreamSpec, info: StreamInfo) -> None:
    folder = folder_of(source, spec.name)
    with locked(folder.path):
        folder.require_replaceable(info)
        with stopped_intake(source, info.config):
            copied(source, folder, spec, info)


def _status(folder: CarryFolder, manifest: Manifest) -> str:
    return f"the one that is to move is {half_carried_status(folder.copy, manifest)}"
