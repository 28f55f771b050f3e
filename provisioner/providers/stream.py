"""The provider of streams. Thin: Pulumi's calls onto ``reconcile``.

The class of the provider is pickled by reference into the state, so ``StreamProvider`` keeps
its name and place for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import Unknown

from provisioner.backup.carry_folder import CarryFolder
from provisioner.errors import LoginRefused, ProvisionerError, Unreachable
from provisioner.jetstream.address import places
from provisioner.plan.diff import plan
from provisioner.providers import properties
from provisioner.providers.engine import program_runs
from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider
from provisioner.providers.server_login import context_of, store_of, url_problem
from provisioner.providers.unknown import is_unknown, known, supposed, unasked, unknown
from provisioner.reconcile import apply
from provisioner.reconcile.carry import end_copy, folder_of, forget_successors, half_carried_status
from provisioner.reconcile.context import Context
from provisioner.reconcile.deletion import delete
from provisioner.reconcile.moving import move_in, move_out
from provisioner.reconcile.notices import notice_once
from provisioner.reconcile.preflight import preflight
from provisioner.reconcile.unopened import MISSING
from provisioner.schema.model import OnDelete, StreamSpec
from provisioner.schema.types import FieldPath

# What the program tells the provider for one run; not in the state.
IMPORTED: Final = "imported"
PASSING: Final = ("ready", IMPORTED)


class StreamProvider(Provider):
    """Creates, reads, updates and deletes one stream."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse in preview what ``up`` would run into."""
        given = {key: value for key, value in news.items() if key not in PASSING}
        failures: list[CheckFailure] = []
        spec = properties.spec(known(given), lambda at, what: failures.append(_failure(self._said(at, what))))
        if problem := None if is_unknown(news["url"]) else url_problem(news):
            failures.append(_failure(problem))
        if failures:
            return CheckResult(given, failures)
        inputs = {**properties.filled_in(_olds, properties.canonical(known(given), spec)), **unknown(given)}
        if not unknown(news):
            failures = self._preflight(spec, inputs, news.get(IMPORTED), in_state=_is_in_state(_olds, news))
        elif unknown(given):
            name = "a stream" if is_unknown(news["name"]) else str(news["name"])
            notice_once(unasked(name, {self._word(key): value for key, value in given.items()}))
        return CheckResult(inputs, failures)

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare whole configurations, server defaults applied to both sides."""
        planned = plan(properties.spec(_olds).config, properties.spec(supposed(_olds, _news)).config)
        # Data elsewhere is created there; what is here is not the new stream's predecessor.
        replaces = planned.replaces if _same_data(_olds, _news) else []
        changes = bool(planned.changes) or bool(unknown(_news)) or properties.bookkeeping_differs(_olds, _news)
        return DiffResult(changes=changes, replaces=replaces, delete_before_replace=True)

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the stream, or take over the one that is there."""
        spec, where = properties.spec(props), self._context(props)
        info = apply.create(where, spec)
        return CreateResult(spec.name, properties.outputs(props, info, where.run.carry_rate))

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What the server holds now, and in the inputs each field that differs from what was wanted."""
        where = self._context(props)
        folder = folder_of(where, id_)
        created = _learn(where, props)
        where.run.carry_rate = props.get(properties.CARRY_RATE) or where.run.carry_rate
        try:
            info = where.server.seen(id_)
        except (Unreachable, LoginRefused) as error:  # the program, which runs next, may have another login
            return ReadResult(id_, *properties.not_whole(props, f"unreachable: {error}"))
        if manifest := folder.waiting_for(info):
            return ReadResult(id_, *properties.not_whole(props, half_carried_status(folder.copy, manifest)))
        if created == props.get("created"):
            forget_successors(where, properties.spec(props), str(created))
        if not info:
            return ReadResult(id_, *properties.not_whole(props, MISSING)) if created else ReadResult("", {})
        return ReadResult(id_, *properties.overlaid({**props, "created": created}, info))

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring the stream to its configuration; create it if it is gone."""
        old, where, spec = self._context(_olds), self._context(_news), properties.spec(_news)
        if _same_data(_olds, _news) and not where.run.config(spec.name):
            _learn(where, _olds)
        folder = CarryFolder(store_of(_olds), spec.name)
        moved = None if _same_data(_olds, _news) else move_in(where, spec, folder)
        info = apply.ensure(where, spec, _known_created(_olds, _news))
        if moved:
            if places(_olds["url"]).isdisjoint(places(_news["url"])):
                move_out(old, folder, moved)
            end_copy(where, folder)
        if not _same_data(_olds, _news):
            folder.forget_successors(info.created)
        created = _known_created(_olds, _news)
        return UpdateResult(properties.outputs(_news, info, where.run.carry_rate, created))

    @one_line
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the stream as its policy says, wherever its server is by now."""
        where = self._context(_props)
        if server := where.run.server_of(_props.get("store")):
            where = self._context({**_props, **dict(zip(("url", "monitor_url"), server, strict=True))})
        if program_runs():
            where.run.on_program_runs()
        if not where.run.config(_props["name"]):
            _learn(where, _props)
        delete(where, properties.spec(_props), _props.get("created"))

    def _context(self, props: Mapping[str, Any]) -> Context:
        where = context_of(self.credentials, props)
        where.run.on_backup_to(props.get("backup_to"), wanted=False)
        return where

    def _word(self, field: str) -> str:
        """What a field is called by those who use what is in the stream."""
        return field

    def _said(self, at: FieldPath, what: str) -> str:
        return f"{'.'.join((self._word(str(at[0])), *map(str, at[1:])))} {what}"

    def _preflight(
        self, spec: StreamSpec, inputs: Mapping[str, Any], imported: str | None, *, in_state: bool
    ) -> list[CheckFailure]:
        where = self._context(inputs)
        where.run.on_backup_to(inputs.get("backup_to"), wanted=True)
        where.run.on_check(spec.name, spec.on_delete, in_state=in_state)
        if spec.name in where.run.past_gate and not imported:
            return []
        try:
            info = where.server.seen(spec.name)
            if imported and not in_state and info is None:
                return [_failure(f"import_: there is no {imported} on {inputs['url']}; leave import_ out to create it")]
            result = preflight(where, spec, info)
        except ProvisionerError as error:
            if not where.server.may_go_unasked(error):
                raise
            notice_once(f"{error}: planned without asking the server")
            return []
        for note in result.notes:
            notice_once(note)
        return [_failure(problem) for problem in result.problems]


def _learn(where: Context, props: Mapping[str, Any]) -> str | None:
    """Tell the run of a stream of the state; when it, or what has taken its messages over, was created."""
    created, config = folder_of(where, props["name"]).current(props.get("created")), properties.last_set(props)
    # What a killed run of ours has made of the stream is not somebody else's change.
    last_set = config if created == props.get("created") else None
    where.run.on_read(props["name"], OnDelete(props["on_delete"]), created, last_set, properties.data_of(props))
    where.run.on_config(props["name"], config)
    return created


def _known_created(olds: Mapping[str, Any], news: Mapping[str, Any]) -> str | None:
    """When the stream of the state was created; on another server there is none."""
    return olds.get("created") if _same_data(olds, news) else None


def _is_in_state(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    return bool(olds) and _same_data(olds, news)


def _same_data(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether both are about the same data, at whatever port; a store that is not known yet is that of the same url."""
    if is_unknown(news["url"]):
        return True
    store = news.get("store")
    if isinstance(store, Unknown):
        return places(olds["url"]) == places(news["url"])
    return store_of(olds) == store_of(news)


def _failure(what: str) -> CheckFailure:
    """About the resource as a whole: of a single property Pulumi would print the value as Go writes it."""
    return CheckFailure("", what)
