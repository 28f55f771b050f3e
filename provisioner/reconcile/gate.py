"""One gate for a whole run: what an ``up`` would run into and what it would cost, all of it at once.

It looks at the estate of the last ``up`` and at the one the program wants, asks both servers, and touches nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from provisioner.errors import ProvisionerError, Unreachable
from provisioner.jetstream.target import Credentials
from provisioner.reconcile.carry import folder_of
from provisioner.reconcile.consumer_gate import consumers_preflight
from provisioner.reconcile.context import Context
from provisioner.reconcile.deletion import half_carried, holding
from provisioner.reconcile.estate import Estate, all_old, data_of
from provisioner.reconcile.leaving import leaving, present
from provisioner.reconcile.loss_approval import approval_problems, approve, may_lose
from provisioner.reconcile.moving import MOVE_DATA
from provisioner.reconcile.objects import with_objects
from provisioner.reconcile.other_data import other_data
from provisioner.reconcile.preflight import preflight
from provisioner.reconcile.program import Program
from provisioner.reconcile.store import ends_with_server
from provisioner.reconcile.unopened import missing_notes
from provisioner.reconcile.verdict import Verdict, together
from provisioner.schema.model import OnDelete, StreamSpec
from provisioner.text import counted

_CUT: Final = (
    "tls: containers of a cluster with TLS and without find no route to each other, and are replaced one after the "
    "other; leave it as it is, or move the messages: streams backup, destroy, up, streams restore"
)
_NAMES_UNKNOWN: Final = (
    "some names are not known yet: whether a stream leaves the program, and what it holds, is found when it is deleted"
)
_LOG: Final = logging.getLogger(__name__)


def estate_preflight(
    old: Estate | None,
    new: Estate,
    program: Program,
    credentials: Credentials,
) -> Verdict:
    """Every problem and every loss of the run.

    Args:
        old: the estate of the last up; None before the first.
        new: the estate the program wants.
        program: what it wants there.
        credentials: how to log in where an estate does not say, to either server.
    """
    specs = program.specs
    olds = [
        replace(each, of=new.of, login=each.login or new.login) for each in all_old(old, new.context(credentials).run)
    ]
    involved = [estate.context(credentials) for estate in (new, *olds)]
    for each in involved:
        each.run.on_program(program)
    target = _asked(olds, involved, new)
    # While a server has yet to become a cluster, what answers at its port knows nothing of replicas.
    parts = [] if any(map(new.takes_along, olds)) else [*_wanted_streams(target, program)]
    for estate in olds:
        if estate.store == new.store and estate.nodes > new.nodes:
            parts.append(Verdict((_fewer_nodes(estate, new),)))
        elif estate.store == new.store:
            parts += _leaving_streams(estate, target, program)
            source = estate.context(credentials)
            parts += _in_memory(source, specs) if estate.is_restarted_for(new) or _hangs(estate, source) else ()
        else:
            parts += other_data(estate, new, credentials, program)
    if old and data_of(old.store) == data_of(new.store) and old.encryption != new.encryption:
        parts.append(Verdict((_other_cipher(old, new),)))
    if old and old.is_cut_by(new):
        parts.append(Verdict((_CUT,)))
    names = {*specs, *(name for each in olds for name in each.policies)}
    names |= {name for each in involved for name in present(each)}
    names |= {*target.run.consumers_in_state, *(spec.label for spec in program.consumers), *program.unread}
    result = together([*parts, *(approval_problems(names) if program.is_complete else ())])
    _LOG.info("gate: %s, %s", counted(len(result.problems), "problem"), counted(len(result.notes), "note"))
    return result


def _fewer_nodes(old: Estate, new: Estate) -> str:
    return (
        f"nodes: {old.nodes} -> {new.nodes} would take away replicas, and what is on the nodes that go; leave it as "
        f"it is, {old.way_to_shrink}"
    )


def _other_cipher(old: Estate, new: Estate) -> str:
    """nats-server can encrypt what is there, or with another cipher, and loses messages if it is killed meanwhile."""
    change = f"encryption: {old.encryption or 'none'} -> {new.encryption or 'none'}"
    return (
        f"{change} of what is in {data_of(new.store)} could lose messages; leave it as it is, or set another storeDir "
        f"as well: {MOVE_DATA}=yes then takes the streams along; or streams backup, destroy, up, streams restore"
    )


def _asked(olds: list[Estate], involved: list[Context], new: Estate) -> Context:
    """Who is asked: while the stack's own server has yet to move to another port, where it is now."""
    for old, where in zip(olds, involved[1:], strict=True):
        if old.owns_server and old.store == new.store and where.server.is_there():
            return where
    return involved[0]


def _wanted_streams(target: Context, program: Program) -> Iterator[Verdict]:
    """The preflight of each stream, told with its name; nothing where no server answers yet."""
    if not target.server.is_there():
        return
    try:
        infos = target.server.streams()
    except ProvisionerError as error:
        if not target.server.may_go_unasked(error):
            raise
        yield Verdict(notes=(f"{error}: planned without asking the server",))
        return
    for name, spec in program.specs.items():
        result = preflight(target, spec, infos.get(name))
        yield Verdict(tuple(_named(name, problem) for problem in result.problems), result.notes)
    yield from consumers_preflight(target, infos, program)
    target.run.on_gate_passed()


def _named(name: str, problem: str) -> str:
    return problem if problem.startswith((f"{name}:", f"{name} ")) else f"{name}: {problem}"


def _leaving_streams(old: Estate, target: Context, program: Program) -> Iterator[Verdict]:
    """Streams of the state that the program no longer has."""
    infos = present(target)
    if not program.is_complete and old.policies.keys() - program.specs.keys() - program.unread:
        yield Verdict(notes=(_NAMES_UNKNOWN,))
    for name, policy in old.policies.items():
        if program.may_have(name) or target.run.is_renamed(name):
            continue
        if (half := folder_of(target, name).waiting_for(infos.get(name))) and not may_lose(name):
            yield Verdict((half_carried(folder_of(target, name).copy, half),))
        elif name in infos:
            yield leaving(target, infos[name], policy)
        elif policy is not OnDelete.RETAIN:
            yield Verdict(notes=missing_notes(target, name, "looks for its files before it forgets it"))


def _hangs(estate: Estate, source: Context) -> bool:
    """Whether the stack's own single server takes connections and does not answer: then up restarts it."""
    if not (estate.owns_server and estate.process and estate.nodes == 1 and source.server.is_there()):
        return False
    try:
        source.server.streams()
    except Unreachable:
        return True
    except ProvisionerError:
        return False
    return False


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
            held = holding(with_objects(source, info))
            yield approve(name, f"restarting the server would delete {held}, which are in memory")
