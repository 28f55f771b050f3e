"""The data of a server that the stack takes down: it goes only with what the stack may delete."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from provisioner.errors import Conflict, ProvisionerError, Unreachable
from provisioner.local_server.store import stream_names
from provisioner.plan.held import held
from provisioner.reconcile import safety_backup
from provisioner.reconcile.context import Context
from provisioner.reconcile.estate import data_of
from provisioner.reconcile.loss_approval import ALLOW_LOSS, may_lose
from provisioner.schema.model import StreamInfo

_MOST_NAMED: Final = 10
_REMOVALS: Final[Mapping[str, Callable[[str], str]]] = {
    "folder": "rm -r {}".format,
    "volume": "docker volume rm {}".format,
    "volumes": "docker volume rm $(docker volume ls --quiet --filter 'name=^{}(-[2-5])?$')".format,
}


def require_removable(context: Context, store: str, data: Path | None, managed: Collection[str]) -> None:
    """Refuse to let a store go with messages that nobody has approved the loss of.

    Args:
        context: the server on it.
        store: its name, for people.
        data: its folder, where it is one of this machine.
        managed: the streams that the stack may delete; they are deleted one by one before.

    Raises:
        Conflict: it holds other streams, or nobody can tell what it holds.
        BackupError: the copy that was asked for could not be made.
    """
    try:
        infos = context.server.listed_now() if context.server.is_there() else None
    except Unreachable:
        infos = None
    if infos is None:
        _require_known_content(store, data, managed)
        return
    holding = {name: _described(info) for name, info in infos.items() if info.messages}
    unopened = stream_names(data) - {*infos, *managed} if data else set()
    holding |= {name: f"{name} (not opened by the server)" for name in sorted(unopened)}
    if unapproved := [name for name in holding if not may_lose(name)]:
        raise Conflict(_refusal(store, [holding[name] for name in unapproved], unapproved))
    for info in infos.values():
        if info.messages:
            safety_backup.keep_copy(context, info)


def ends_with_server(info: StreamInfo) -> bool:
    """Whether a stream has messages that end with the server's process, though its store stays."""
    return info.messages > 0 and info.config["storage"] == "memory"


def require_nothing_in_memory(context: Context, store: str) -> None:
    """Refuse to let a server go, whose store stays, with messages in its memory whose loss nobody has approved.

    Raises:
        Conflict: it holds some, or nobody can tell.
        BackupError: the copy that was asked for could not be made.
    """
    if not context.server.is_there():
        return  # with the server, what was in its memory has gone
    try:
        infos = context.server.listed_now()
    except Unreachable as error:
        if may_lose(store):
            return
        raise Conflict(
            f"{error}: so nobody can tell what it holds in memory, which ends with it; to let it go unseen: "
            f"{allowing(store)} pulumi destroy"
        ) from error
    unapproved = [info for name, info in infos.items() if ends_with_server(info) and not may_lose(name)]
    if unapproved:
        names = ",".join(str(info.config["name"]) for info in unapproved)
        raise Conflict(
            f"{store} stays, but messages in the memory of its server end with it: "
            f"{', '.join(map(_described, unapproved))}; to let them go: {ALLOW_LOSS}={names} pulumi destroy"
        )
    keep_memory(context)


def keep_memory(context: Context) -> None:
    """Copy what ends with the server, where copies are asked for."""
    if not safety_backup.folder_for(context):
        return
    for info in context.server.listed_now().values():
        if ends_with_server(info):
            safety_backup.keep_copy(context, info)


def stays(store: str) -> str:
    """What a destroy leaves behind, and how to remove it."""
    kind, _, name = data_of(store).partition(" ")
    return f"{store} stays with all that it holds, as onDelete is not delete; to remove it: {_REMOVALS[kind](name)}"


def _require_known_content(store: str, data: Path | None, managed: Collection[str]) -> None:
    """The server does not answer: the names in its folder tell whose streams it holds, if it has one here."""
    if may_lose(store):
        return
    if data is None:
        raise ProvisionerError(
            f"{store}: its server does not answer, so nobody can tell what it holds; run make up before this, "
            f"or remove it unseen: {allowing(store)} pulumi destroy"
        )
    others = sorted(name for name in stream_names(data) - set(managed) if not may_lose(name))
    if others:
        raise Conflict(_refusal(store, others, others))


def allowing(store: str) -> str:
    """The approval of a store's loss, as a shell reads it: its name has a space."""
    return f"{ALLOW_LOSS}={shlex.quote(store)}"


def _refusal(store: str, descriptions: Iterable[str], names: Collection[str]) -> str:
    listed = ", ".join(list(descriptions)[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"{store} holds streams that are not this stack's to delete: {listed}{more}; it stays, with its server. To "
        f"remove them with it: {ALLOW_LOSS}={','.join(names)} pulumi destroy; to keep it: "
        "set onDelete: retain and run make up before"
    )


def _described(info: StreamInfo) -> str:
    return f"{info.config['name']} ({held(info)})"
