"""The stack's streams are to be on other data: what there is now is moved, deleted or left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.errors import ProvisionerError
from provisioner.jetstream.target import Credentials
from provisioner.reconcile.carry import folder_of
from provisioner.reconcile.consumer_gate import arriving_consumers
from provisioner.reconcile.context import Context
from provisioner.reconcile.deletion import holding
from provisioner.reconcile.estate import Estate, data_of
from provisioner.reconcile.leaving import leaving, present
from provisioner.reconcile.loss_approval import approve
from provisioner.reconcile.moving import MOVE_DATA, is_asked_for, is_copied, moving_preflight
from provisioner.reconcile.permitted import missing_for_moving
from provisioner.reconcile.program import Program
from provisioner.reconcile.store import ends_with_server
from provisioner.reconcile.verdict import Verdict
from provisioner.rules.same_stream import is_same
from provisioner.schema.model import OnDelete, StreamInfo


def other_data(old: Estate, new: Estate, credentials: Credentials, program: Program) -> Iterator[Verdict]:
    """The data behind the stack's streams is to be other data: what there is now goes, or is left behind."""
    if old.owns_server and not new.owns_server and old.shares_address_with(new):
        yield Verdict((f"url: {new.url} is the server of this stack, which goes with this change; give another one",))
        return
    if old.takes_along(new):
        yield Verdict((_shrunk(old, new),))
        return
    source = old.context(credentials)
    try:
        infos = source.server.streams()
    except ProvisionerError as error:
        yield from _untold(old, source, error, program)
        return
    moved = {} if old.owns_server else _same_streams(new, credentials)
    elsewhere = {} if new.shares_address_with(old) else present(new.context(credentials))
    for name, info in infos.items():
        gone = old.is_removed_for(new) or old.is_buried_for(new)
        concerned = name in old.policies or gone or (old.owns_server and ends_with_server(info))
        if not old.owns_server and name in old.policies and not program.may_have(name):
            yield leaving(source, info, old.policies[name])  # deleted there, not left behind
        elif name in old.policies and name in program.specs and _moves(old, new, source, info, moved):
            yield moving_preflight(source, program.specs[name], info, (old.store, new.store), elsewhere.get(name))
            yield from arriving_consumers(source, name, name, program)
            lacking = missing_for_moving(source, new.context(credentials), name)
            yield Verdict(tuple(f"{name}: {lack}" for lack in lacking.problems))
            if data_of(old.store) == data_of(new.store):
                yield Verdict(notes=(_stays(old),))
        elif info.messages and concerned and not is_same(moved.get(name), info):
            yield approve(name, _fate(old, new, info, managed=name in old.policies))


def _stays(old: Estate) -> str:
    return (
        f"{old.store}: what is moved stays there on the disk as well, where nobody sees it, and keeps what it has "
        "reserved: maxFileStore needs room for both"
    )


def _shrunk(old: Estate, new: Estate) -> str:
    return (
        f"nodes: the cluster in {old.store} cannot become the one server in {new.store}, which has the data of before "
        f"it grew; leave nodes as it is, {old.way_to_shrink}"
    )


def _moves(old: Estate, new: Estate, source: Context, info: StreamInfo, moved: Mapping[str, str]) -> bool:
    """Whether the run takes a stream along; one that is the same at another url stays where it is."""
    name = info.config["name"]
    asked = is_asked_for() or new.takes_along(old) or is_copied(source, name, info)
    return asked and source.run.is_ours(name, info) and not is_same(moved.get(name), info)


def _fate(old: Estate, new: Estate, info: StreamInfo, *, managed: bool) -> str:
    whose = f"; to take it along: {MOVE_DATA}=yes" if managed else ", which this stack does not manage"
    move = f"moving from {old.store} to {new.store} would"
    if old.is_removed_for(new):
        return f"{move} delete {holding(info)}{whose}"
    if old.owns_server and ends_with_server(info):
        return f"{move} delete {holding(info)}, which are in memory{whose}"
    return f"{move} leave {holding(info)} behind{whose if managed else ''}"


def _untold(old: Estate, source: Context, error: ProvisionerError, program: Program) -> Iterator[Verdict]:
    """Nobody can tell what the old server holds: each of its streams needs approval, or has been copied to be moved."""
    for name, policy in old.policies.items():
        if policy is OnDelete.RETAIN or folder_of(source, name).manifest():
            continue
        if not program.may_have(name) and source.server.is_there():
            yield Verdict((_undeletable(name, error),))
        else:
            yield approve(name, f"{error}: nobody can tell what {old.store} holds of it{_how_to_start(old)}")


def _how_to_start(old: Estate) -> str:
    return ", until its server runs: set back what has changed, and pulumi up starts it" if old.owns_server else ""


def _undeletable(name: str, error: ProvisionerError) -> str:
    return (
        f"{name}: {error}: so it cannot be deleted there. Take it out of the catalogue in a run of its own, before the "
        "server changes or, to leave it behind, after that; or forget it with pulumi state delete"
    )


def _same_streams(new: Estate, credentials: Credentials) -> dict[str, str]:
    """When each stream on the new server was created: another url can lead to the same server."""
    target = new.context(credentials)
    return {name: info.created for name, info in present(target).items()}
