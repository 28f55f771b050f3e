"""Carrying a stream over: its messages and consumers into a new stream, where JetStream makes no change in place.

Its subjects are released, so nothing is acknowledged that the copy lacks; then it is copied, deleted and
restored under another configuration. At every moment the stream or a verified copy is whole, and a run
that is killed is completed by the next one (``backup.carry_folder``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from provisioner.backup.archive import Manifest, backup, one_line
from provisioner.backup.carry_folder import CarryFolder
from provisioner.backup.folder_lock import locked
from provisioner.backup.progress import Meter
from provisioner.backup.restore import Successor, restore
from provisioner.errors import BackupError, Conflict, ProvisionerError
from provisioner.jetstream.codec import from_config, to_request
from provisioner.log import tell
from provisioner.plan.carried import carried_config
from provisioner.plan.diff import as_named, plan
from provisioner.reconcile import safety_backup
from provisioner.reconcile.context import Context
from provisioner.reconcile.intake import stopped_intake
from provisioner.reconcile.trial import try_out
from provisioner.rules.intake import closed, is_closed
from provisioner.rules.same_stream import is_same
from provisioner.schema.model import StreamConfig, StreamInfo, StreamSpec
from provisioner.text import approximate_size, counted

# A stream that takes in nothing may still get what was under way: it is copied again, so many times.
COPIES: Final = 5

_LOG: Final = logging.getLogger(__name__)


def folder_of(context: Context, name: str) -> CarryFolder:
    """Where a stream of this server is while it is carried over."""
    return CarryFolder(context.server.store, name)


def half_carried_status(copy: Path, manifest: Manifest) -> str:
    """What a run that was cut short has left of a stream."""
    return f"half carried over: {counted(manifest.messages, 'message')} are in {copy}"


def forget_successors(context: Context, spec: StreamSpec, created: str) -> None:
    """Remove the notes that say what the state knows by now."""
    for name in filter(None, (spec.name, spec.renamed_from)):
        folder_of(context, name).forget_successors(created)


def carry_over(context: Context, spec: StreamSpec, info: StreamInfo, removed: int) -> StreamInfo:
    """Put a new stream in the place of one, with its messages and consumers; it captures no subjects yet.

    Args:
        context: the server and the run.
        spec: the stream as it is wanted.
        info: the stream as it is, under this name or the one it had.
        removed: how many of its messages the new one does not keep, at most.

    Raises:
        Conflict: the server refuses the new stream; the old one is there again, whole.
        BackupError: it cannot be copied, and is as it was; or, as the text says, it is only in its copy.
    """
    folder, began = folder_of(context, info.config["name"]), time.monotonic()
    with locked(folder.path):
        folder.require_replaceable(info)
        with stopped_intake(context, info.config):
            manifest = copied(context, folder, spec, info)
            try_out(context, folder, manifest, _carried(spec, manifest))
        _delete(context, info, manifest)
        successor = _put_back_or_undo(context, folder, spec, manifest, removed)
    _LOG.info("%s: carried over in %.1f s", spec.name, time.monotonic() - began)
    return successor


def completed(context: Context, spec: StreamSpec, info: StreamInfo | None) -> StreamInfo | None:
    """The stream, once what a killed run has left of it is whole again.

    Raises:
        Conflict, BackupError: as ``carry_over``.
    """
    if not (folder := waiting_folder(context, spec, info)):
        return info
    with locked(folder.path):
        info = context.server.current(spec.name)
        manifest = folder.waiting_for(info)
        if not manifest:
            return info
        tell(f"{spec.name} is {half_carried_status(folder.copy, manifest)}; this run completes it")
        return _put_back_or_undo(context, folder, spec, manifest, manifest.messages)


def waiting_folder(context: Context, spec: StreamSpec, info: StreamInfo | None) -> CarryFolder | None:
    """Where the copy is that holds what the server does not: of the stream, or of the one it was."""
    renamed = spec.renamed_from and context.server.seen(spec.renamed_from)
    folders = [folder_of(context, spec.name), *(() if renamed else folders_before(context, spec))]
    return next((folder for folder in folders if folder.waiting_for(info)), None)


def folders_before(context: Context, spec: StreamSpec) -> Iterator[CarryFolder]:
    """Where a stream is while it is carried over from another name, or from the data that the state has it in."""
    if spec.renamed_from:
        yield folder_of(context, spec.renamed_from)
    if data := context.run.data(spec.name):
        yield CarryFolder(data.store, spec.name)


def let_go(context: Context, spec: StreamSpec, info: StreamInfo) -> None:
    """End the copy of a stream that is whole; where a folder for copies is given, it is kept there."""
    for name in filter(None, (spec.name, spec.renamed_from)):
        _let_go(context, folder_of(context, name), info)


def _let_go(context: Context, folder: CarryFolder, info: StreamInfo) -> None:
    folder.drop_unfinished()
    manifest = folder.manifest()
    if manifest and folder.is_of(manifest, info):
        end_copy(context, folder)


def end_copy(context: Context, folder: CarryFolder) -> None:
    """Remove a copy, or keep it where a folder for copies is given.

    Raises:
        BackupError: it cannot be moved there.
    """
    with one_line(f"{folder.stream} is carried over; its copy stays in {folder.copy}"):
        if kept := safety_backup.folder_for(context):
            folder.move_to(kept)
        else:
            folder.drop()


def copied(context: Context, folder: CarryFolder, spec: StreamSpec, info: StreamInfo) -> Manifest:
    """A copy of a stream that takes in nothing any more, which holds everything.

    Raises:
        Conflict, BackupError: there is none.
    """
    for _ in range(COPIES):
        folder.drop()
        manifest = backup(context.client(), folder.stream, folder.path, Meter().show, _intake(spec, info.config))
        if _is_all(context, info, manifest):
            return manifest
    raise Conflict(f"{folder.stream} has grown during each of {COPIES} copies: its origin is too busy; try again later")


def _intake(spec: StreamSpec, config: StreamConfig) -> dict[str, object]:
    """The subjects and sources to come back to; those that are wanted, where an earlier run has closed the stream."""
    raw = to_request(spec.config if is_closed(config) else config)
    return {key: raw.get(key) for key in ("subjects", "sources")}


def _is_all(context: Context, info: StreamInfo, manifest: Manifest) -> bool:
    """Whether the copy has the latest message. What a mirror still gets, its origin has, as far as one can look."""
    mirror = info.config["mirror"]
    if mirror and not mirror["external"]:
        return _origin_keeps(context, mirror["name"], manifest)
    return bool(context.client().state(manifest.name)["last_seq"] == manifest.state["last_seq"])


def _origin_keeps(context: Context, origin: str, manifest: Manifest) -> bool:
    present = context.client().stream(origin)
    if not present:
        return bool(context.client().state(manifest.name)["last_seq"] == manifest.state["last_seq"])
    return bool(context.client().state(origin)["first_seq"] <= manifest.state["last_seq"] + 1)


def _delete(context: Context, info: StreamInfo, manifest: Manifest) -> None:
    present = context.server.current(manifest.name)
    if not present or not is_same(info.created, present):
        raise Conflict(f"{manifest.name} was deleted or made again while it was copied; run pulumi up again")
    context.client().delete(manifest.name)
    context.server.remember(manifest.name, None)


def put_back(context: Context, folder: CarryFolder, spec: StreamSpec, manifest: Manifest, removed: int) -> StreamInfo:
    """Restore a copy as the stream that is wanted, as far as it has to be for a later update; without subjects.

    Args:
        context: the server and the run.
        folder: where the copy is: of this stream, of the one it was, or of the one on another server.
        spec: the stream as it is wanted.
        manifest: the copy's.
        removed: how many of its messages the stream does not keep, at most.

    Raises:
        ProvisionerError: the server refuses, or is gone; a part of it is deleted, or known for what it is.
    """
    info = _restore_as(context, folder, manifest, closed(_carried(spec, manifest)), removed)
    if not info.is_empty:
        tell(f"{spec.name}: carried over with {counted(info.messages, 'message')} ({approximate_size(info.bytes)})")
    return info


def _carried(spec: StreamSpec, manifest: Manifest) -> StreamConfig:
    original = from_config(manifest.config)
    planned = plan(as_named(original, spec.name), spec.config)
    return carried_config(original, spec.config, planned.carries)


def _put_back_or_undo(
    context: Context, folder: CarryFolder, spec: StreamSpec, manifest: Manifest, removed: int
) -> StreamInfo:
    try:
        return put_back(context, folder, spec, manifest, removed)
    except ProvisionerError as error:
        raise _undone(context, folder, manifest, error) from error


def _restore_as(
    context: Context, folder: CarryFolder, manifest: Manifest, config: StreamConfig, removed: int
) -> StreamInfo:
    def whole(info: StreamInfo, state: Mapping[str, Any]) -> None:
        if state["last_seq"] != manifest.state["last_seq"]:
            raise BackupError(f"it ends at sequence {state['last_seq']}, not {manifest.state['last_seq']}")
        _note_successor(context, folder, manifest.created, info.created)

    successor = Successor(config=to_request(config), removed=removed, on_whole=whole)
    info = restore(context.client(), folder.copy, Meter().show, successor)
    context.server.remember(config["name"], info)
    context.run.on_made(info)
    return info


def _note_successor(context: Context, folder: CarryFolder, before: str, now: str) -> None:
    """Note which stream became which; where the old one was, under another key: it is not there that the new one is."""
    here = CarryFolder(context.server.store, folder.stream)
    # In a cluster, the state may know the stream by another moment than the copy (``same_stream``).
    for moment in {before, context.run.created(folder.stream) or before} - {now}:
        here.note_successor(moment, now)
    if here != folder:
        folder.note_successor(f"moved {before}", now)


def _undone(context: Context, folder: CarryFolder, manifest: Manifest, error: ProvisionerError) -> ProvisionerError:
    """The error to raise once the stream is as it was, or if it cannot be."""
    try:
        _restore_as(context, folder, manifest, from_config(manifest.config), 0)
    except ProvisionerError:
        where = f"its {counted(manifest.messages, 'message')} are in {folder.copy}"
        return BackupError(f"{error}; {where}: run pulumi up again once the server can take it, which completes it")
    folder.drop()
    return Conflict(f"{error}; the stream is as it was, with its messages")
