"""One gate for a whole run: what an ``up`` would run into and what it would cost, all of it at once.

An estate is a server, the data behind it, and the streams a stack manages there. The gate looks at
the estate of the last ``up`` and at the one the program wants, asks both servers, and touches nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from provisioner.errors import ProvisionerError, Unreachable
from provisioner.jetstream.target import Credentials
from provisioner.reconcile.carry import folder_of
from provisioner.reconcile.context import Context, context
from provisioner.reconcile.deletion import contents, half_carried, holding, is_guarded
from provisioner.reconcile.loss_approval import approval_problems, approve, may_lose
from provisioner.reconcile.moving import MOVE_DATA, is_asked_for, is_copied, moving_preflight
from provisioner.reconcile.preflight import preflight
from provisioner.reconcile.run_state import RunState
from provisioner.reconcile.store import ends_with_server
from provisioner.reconcile.verdict import Verdict, together
from provisioner.schema.model import OnDelete, StreamInfo, StreamSpec
from provisioner.text import counted

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Estate:
    """One state of a stack.

    Attributes:
        owns_server: whether the server is the stack's own, not an external one.
        url: where clients connect.
        monitor_url: the server's HTTP monitoring, None if there is none.
        store: names the data behind the server; another name is other data.
        process: what a server of the stack's own runs with; another text restarts it.
        removed_with_server: whether the data goes when the stack no longer has this server.
        policies: what happens to each stream that leaves the stack.
    """

    owns_server: bool
    url: str
    monitor_url: str | None = None
    store: str
    process: str = ""
    removed_with_server: bool = False
    policies: Mapping[str, OnDelete] = field(default_factory=dict)

    def is_removed_for(self, other: Estate) -> bool:
        """Whether the data is deleted when the other comes in its place; a process that moves leaves its folder."""
        return self.removed_with_server and is_removed(self.store, other.store)

    def is_restarted_for(self, other: Estate) -> bool:
        """Whether the stack's own server stays and is started anew."""
        return bool(self.process) and self.store == other.store and self.process != other.process

    def is_moved_for(self, other: Estate) -> bool:
        """Whether the stack's own server is started on another folder, and the old one stays as it is."""
        return self.store != other.store and not is_removed(self.store, other.store)

    def context(self, credentials: Credentials) -> Context:
        """The process's context for the estate's server."""
        found = context(self.url, self.monitor_url, credentials)
        found.server.owned = self.owns_server
        if self.owns_server and (store := found.run.own_data()):
            found.server.store = store
        return found


def is_removed(store: str, other: str) -> bool:
    """Whether a store goes when the other comes in its place: a process that moves leaves its folder as it is."""
    return store != other and {_kind_of(store), _kind_of(other)} != {"folder"}


def _kind_of(store: str) -> str:
    """What a store is: a folder, a volume, or the URL of somebody else's."""
    return store.partition(" ")[0]


def estate_preflight(
    old: Estate | None, new: Estate, specs: Mapping[str, StreamSpec], credentials: Credentials
) -> Verdict:
    """Every problem and every loss of the run.

    Args:
        old: the estate of the last up; None before the first.
        new: the estate the program wants.
        specs: its streams.
        credentials: how to log in, to either server.
    """
    olds = _all_old(old, new.context(credentials).run)
    involved = [estate.context(credentials) for estate in (new, *olds)]
    for each in involved:
        each.run.on_program(specs)
    target = _asked(olds, involved, new)
    parts = [*_wanted_streams(target, specs)]
    for estate in olds:
        if estate.store == new.store:
            parts += _leaving_streams(estate, target, specs)
            parts += _in_memory(estate.context(credentials), specs) if estate.is_restarted_for(new) else ()
        else:
            parts += _other_data(estate, new, credentials, specs)
    names = {*specs, *(name for each in olds for name in each.policies)}
    names |= {name for each in involved for name in _present(each)}
    result = together([*parts, *approval_problems(names)])
    _LOG.info("gate: %s, %s", counted(len(result.problems), "problem"), counted(len(result.notes), "note"))
    return result


def _asked(olds: list[Estate], involved: list[Context], new: Estate) -> Context:
    """Who is asked: while the stack's own server has yet to move to another port, where it is now."""
    for old, where in zip(olds, involved[1:], strict=True):
        if old.owns_server and old.store == new.store and where.server.is_there():
            return where
    return involved[0]


def _all_old(old: Estate | None, run: RunState) -> list[Estate]:
    """The estate of the last up, and whatever else the state has: that up may have ended half way."""
    estates: dict[str, Estate] = {}
    for each in (*((old,) if old else ()), *_estates_of_state(run)):
        before = estates.get(each.store, each)
        estates[each.store] = replace(before, policies={**each.policies, **before.policies})
    return list(estates.values())


def _estates_of_state(run: RunState) -> Iterator[Estate]:
    """The servers of the state's streams; the data of an external one has its URL for a name."""
    own: dict[str, OnDelete] = {}
    external: dict[str, dict[str, OnDelete]] = {}
    for name, (data, policy) in run.in_state().items():
        (external.setdefault(data.url, {}) if data.store == data.url else own)[name] = policy
    for url, policies in external.items():
        yield Estate(owns_server=False, url=url, store=url, policies=policies)
    if run.own_store:
        data, removed = run.own_store
        yield Estate(
            owns_server=True,
            url=data.url,
            monitor_url=data.monitor_url,
            store=str(data.store),
            removed_with_server=removed,
            policies=own,
        )


def _wanted_streams(target: Context, specs: Mapping[str, StreamSpec]) -> Iterator[Verdict]:
    """The preflight of each stream, told with its name; nothing where no server answers yet."""
    if not target.server.is_there():
        return
    try:
        infos = target.server.streams()
    except Unreachable as error:
        yield Verdict(notes=(f"{error}: planned without asking the server",))
        return
    for name, spec in specs.items():
        result = preflight(target, spec, infos.get(name))
        yield Verdict(tuple(_named(name, problem) for problem in result.problems), result.notes)
    target.run.on_gate_passed()


def _named(name: str, problem: str) -> str:
    return problem if problem.startswith((f"{name}:", f"{name} ")) else f"{name}: {problem}"


def _leaving_streams(old: Estate, target: Context, specs: Mapping[str, StreamSpec]) -> Iterator[Verdict]:
    """Streams of the state that the program no longer has."""
    infos = _present(target)
    for name, policy in old.policies.items():
        if name in specs or target.run.is_renamed(name):
            continue
        if (half := folder_of(target, name).waiting_for(infos.get(name))) and not may_lose(name):
            yield Verdict((half_carried(folder_of(target, name).copy, half),))
        elif name in infos:
            yield _leaving(target, infos[name], policy)


def _leaving(target: Context, info: StreamInfo, policy: OnDelete) -> Verdict:
    name = str(info.config["name"])
    if not target.run.is_ours(name, info):
        return Verdict(notes=(_stranger(info),))
    if policy is OnDelete.RETAIN:
        return Verdict(notes=(f"{name} leaves the catalogue and stays on the server with {holding(info)}",))
    if policy is OnDelete.GUARD and is_guarded(info):
        return Verdict((contents(info),))
    return approve(name, f"leaving the catalogue would delete {holding(info)}") if info.messages else Verdict()


def _stranger(info: StreamInfo) -> str:
    held, subjects = counted(info.messages, "message"), ", ".join(info.config["subjects"])
    return (
        f"{info.config['name']} leaves the catalogue, and the stream of that name on the server is not the one in the "
        f"state: made by others, or by a run that was cut short. It is left as it is, with {held} on {subjects}"
    )


def _in_memory(source: Context, specs: Mapping[str, StreamSpec]) -> Iterator[Verdict]:
    """What a server holds in memory ends with its process; of one that hangs, the program says what may be there."""
    if not source.server.is_there():
        return
    try:
        infos = source.server.streams()
    except ProvisionerError as error:
        lost = f"restarting the server would delete what it holds in memory, and nobody can tell how much: {error}"
        yield together(approve(name, lost) for name, spec in specs.items() if spec.config["storage"] == "memory")
        return
    for name, info in infos.items():
        if ends_with_server(info):
            yield approve(name, f"restarting the server would delete {holding(info)}, which are in memory")


def _other_data(
    old: Estate, new: Estate, credentials: Credentials, specs: Mapping[str, StreamSpec]
) -> Iterator[Verdict]:
    """The data behind the stack's streams is to be other data: what there is now goes, or is left behind."""
    if old.owns_server and not new.owns_server and old.url == new.url:
        yield Verdict((f"url: {new.url} is the server of this stack, which goes with this change; give another one",))
        return
    source = old.context(credentials)
    try:
        infos = source.server.streams()
    except ProvisionerError as error:
        yield from _untold(old, source, error, specs)
        return
    moved = {} if old.owns_server else _same_streams(new, credentials)
    elsewhere = {} if new.url == old.url else _present(new.context(credentials))
    for name, info in infos.items():
        concerned = name in old.policies or old.is_removed_for(new) or (old.owns_server and ends_with_server(info))
        if not old.owns_server and name in old.policies and name not in specs:
            yield _leaving(source, info, old.policies[name])  # deleted there, not left behind
        elif name in old.policies and name in specs and _moves(source, info, moved):
            yield moving_preflight(source, specs[name], info, (old.store, new.store), elsewhere.get(name))
        elif info.messages and concerned and moved.get(name) != info.created:
            yield approve(name, _fate(old, new, info, managed=name in old.policies))


def _moves(source: Context, info: StreamInfo, moved: Mapping[str, str]) -> bool:
    """Whether the run takes a stream along; one that is the same at another url stays where it is."""
    name = info.config["name"]
    asked = is_asked_for() or is_copied(source, name, info)
    return asked and source.run.is_ours(name, info) and moved.get(name) != info.created


def _fate(old: Estate, new: Estate, info: StreamInfo, *, managed: bool) -> str:
    whose = f"; to take it along: {MOVE_DATA}=yes" if managed else ", which this stack does not manage"
    move = f"moving from {old.store} to {new.store} would"
    if old.is_removed_for(new):
        return f"{move} delete {holding(info)}{whose}"
    if old.owns_server and ends_with_server(info):
        return f"{move} delete {holding(info)}, which are in memory{whose}"
    return f"{move} leave {holding(info)} behind{whose if managed else ''}"


def _untold(
    old: Estate, source: Context, error: ProvisionerError, specs: Mapping[str, StreamSpec]
) -> Iterator[Verdict]:
    """Nobody can tell what the old server holds: each of its streams needs approval, or has been copied to be moved."""
    for name, policy in old.policies.items():
        if policy is OnDelete.RETAIN or folder_of(source, name).manifest():
            continue
        if name not in specs and source.server.is_there():
            yield Verdict((_undeletable(name, error),))
        else:
            yield approve(name, f"{error}: nobody can tell what {old.store} holds of it")


def _undeletable(name: str, error: ProvisionerError) -> str:
    return (
        f"{name}: {error}: so it cannot be deleted there. Take it out of the catalogue in a run of its own, before the "
        "server changes or, to leave it behind, after that; or forget it with pulumi state delete"
    )


def _same_streams(new: Estate, credentials: Credentials) -> dict[str, str]:
    """When each stream on the new server was created: another url can lead to the same server."""
    target = new.context(credentials)
    return {name: info.created for name, info in _present(target).items()}


def _present(target: Context) -> Mapping[str, StreamInfo]:
    try:
        return target.server.streams()
    except ProvisionerError:
        return {}
