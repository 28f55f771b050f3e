"""What carrying a stream over means and takes, for the plan."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from provisioner.errors import BackupError
from provisioner.plan.carry_note import carry_note
from provisioner.plan.diff import Plan
from provisioner.reconcile.carry import folder_of, half_carried_status, waiting_folder
from provisioner.reconcile.context import Context
from provisioner.reconcile.unopened import consumers_problem
from provisioner.reconcile.verdict import Verdict
from provisioner.rules.work_queue import work_queue_problems
from provisioner.schema.model import StreamInfo, StreamSpec
from provisioner.text import approximate_size, counted

# More than a fast disk syncs in the 5 seconds that nats-server gives a restore.
MANY_TO_SYNC: Final = 10_000

_MEMORY_SNAPSHOTS_SINCE: Final = (2, 15, 0)


def carry_preflight(context: Context, spec: StreamSpec, info: StreamInfo, planned: Plan) -> Verdict:
    """Why a stream could not be carried over, under its name or another, and what it means if it can."""
    note = carry_note(spec.name, info, planned, context.run.carry_rate)
    return Verdict(tuple(carry_problems(context, spec, info)), (note, *_doubts(context, spec, info)))


def _doubts(context: Context, spec: StreamSpec, info: StreamInfo) -> Iterator[str]:
    """What only the run can find out, before it deletes anything."""
    if info.messages > MANY_TO_SYNC and context.server.facts(spec.name).syncs_always:
        yield (
            f"{spec.name}: its server syncs every message (syncInterval always), and may not be able to take "
            f"{counted(info.messages, 'message')} back; that is tried before anything is deleted"
        )


def half_carried_preflight(context: Context, spec: StreamSpec, info: StreamInfo | None) -> Verdict | None:
    """What a run that was cut short has left of a stream, which this one completes; None where that is nothing."""
    try:
        folder = waiting_folder(context, spec, info)
        manifest = folder.manifest() if folder else None
    except BackupError as error:
        return Verdict((f"{spec.name}: {error}; without it {spec.name} cannot be completed",))
    if not folder or not manifest:
        return None
    status = half_carried_status(folder.copy, manifest)
    return Verdict(notes=(f"{spec.name} is {status}; this run completes it",))


def carry_problems(context: Context, spec: StreamSpec, info: StreamInfo) -> Iterator[str]:
    """Why a stream cannot be copied, or its consumers not restored."""
    yield from map(str, work_queue_problems(info.config, spec.config, context.client().consumers(info.config["name"])))
    if spec.config["sources"] and info.config["sources"] and info.config["retention"] != "limits":
        # The server knows where it was from the messages it has, and consumed ones are gone.
        yield "sources would deliver again what has been consumed: take them out for the run of this change"
    if info.config["storage"] == "memory" and context.client().connection.server_version < _MEMORY_SNAPSHOTS_SINCE:
        yield "storage memory: a server before 2.15 makes no copies of memory streams"
    if problem := consumers_problem(context, info):
        yield problem
    folder = folder_of(context, info.config["name"])
    try:
        folder.require_replaceable(info)
    except BackupError as error:
        yield str(error)
    yield from _room_problems(folder.path, info.bytes)


def _room_problems(folder: Path, size: int) -> Iterator[str]:
    present = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not (present.is_dir() and os.access(present, os.W_OK)):
        yield f"{present} cannot be written to, where its copy would be; name another folder with STREAMS_CARRY_TO"
    elif (free := shutil.disk_usage(present).free) < size:
        yield (
            f"its copy takes {approximate_size(size)}, and {present} has {approximate_size(free)} left; "
            "name another folder with STREAMS_CARRY_TO"
        )
