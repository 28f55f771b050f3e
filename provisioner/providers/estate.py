"""``Estate``: the stack as a whole, on which every other resource depends.

Its check sees the old and the new program at once and refuses for the whole run before anything is
touched. It is pickled by reference into the state, so ``EstateProvider`` keeps its name and place.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from provisioner.backup.carry_folder import CarryFolder
from provisioner.docker_engine.holdings import DockerPlace
from provisioner.errors import ProvisionerError
from provisioner.providers import consumer_properties, properties
from provisioner.providers.engine import StreamState, in_state, other_login
from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider
from provisioner.providers.server_login import login_of, name_of, url_problem
from provisioner.providers.unknown import unasked, unknown
from provisioner.reconcile.context import this_run
from provisioner.reconcile.docker_stack import container_status, docker_preflight, renamed, resume
from provisioner.reconcile.estate import Estate as EstateValue
from provisioner.reconcile.gate import estate_preflight
from provisioner.reconcile.moving import copy_out, is_asked_for
from provisioner.reconcile.notices import notice_once
from provisioner.reconcile.program import Program
from provisioner.reconcile.store import keep_memory
from provisioner.reconcile.verdict import Verdict, together
from provisioner.schema.model import OnDelete

# What stands in the state; the specifications of the streams are in the streams' own properties.
_KEPT: Final = (
    "owns_server",
    "url",
    "monitor_url",
    "store",
    "process",
    "removed_with_server",
    "policies",
    "docker",
    "owners",
    "container",
    "backup_to",
    "grown_from",
    "nodes",
    "ca",
    "encryption",
    "watching",
    "server",
    "login",
)
ID: Final = "estate"
_OPEN: Final = (
    "{url}: everybody who reaches it may do everything; the setting services lets in only who is in its file "
    "(docs/services.md)"
)


class EstateProvider(Provider):
    """Holds nothing on a server: its check is its purpose."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Find every problem and every loss of the run at once."""
        if unknown(news):
            notice_once(unasked("estate", news))
            return CheckResult({key: value for key, value in news.items() if key in _KEPT}, [])
        if problem := url_problem(news):
            return CheckResult(news, [CheckFailure("", problem)])
        old = _estate(_olds) if _olds else None
        for estate in (_estate(news), *([old] if old else [])):
            if estate.login is None:
                server = estate.context(self.credentials).server
                server.renewed_login = partial(other_login, news.get("owner"), estate.url)
        for props in (_olds or {}, news):
            _learn_trust(props)
        self._learn_state(old, news)
        _estate(news).context(self.credentials).run.on_backup_to(news.get("backup_to"), wanted=True)
        on_engine, owners = _docker_preflight(_olds, news)
        try:
            streams = estate_preflight(old, _estate(news), _program(news), self.credentials)
        except ProvisionerError:
            if not on_engine.problems:
                raise
            streams = Verdict()  # who answers at a port that is taken is not the stack's server
        lost_key = [] if _olds else [news["key_problem"]] if news.get("key_problem") else []
        verdict = together((on_engine, Verdict(tuple(lost_key)), streams))
        for note in verdict.notes:
            notice_once(note)
        failures = [CheckFailure("", problem) for problem in verdict.problems]
        kept = {**{key: value for key, value in news.items() if key in _KEPT}, "owners": owners}
        if news.get("open") and _differs(_olds or {}, kept):
            notice_once(_OPEN.format(url=news["url"]))
        return CheckResult(kept, failures)

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare what stands in the state."""
        return DiffResult(changes=_differs(_olds, _news))

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Note it."""
        return CreateResult(name_of(props) or ID, props)

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Tell the run whose server it works on, and the plan whether its container is paused."""
        _learn_trust(props)
        _estate(props).context(self.credentials)
        actual = {**props, "container": container_status(place)} if (place := docker_place(props)) else props
        return ReadResult(id_, actual, {key: value for key, value in actual.items() if key in _KEPT})

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Note it, copy what is to move and what a restart deletes, and let a paused container go on."""
        old, new = _estate(_olds), _estate(_news)
        source = old.context(self.credentials)
        moves = old.store != new.store and (is_asked_for() or new.takes_along(old))
        if moves and source.server.is_there():
            copy_out(source, {name: spec for name, spec in (source.run.specs or {}).items() if name in old.policies})
        if (old.is_restarted_for(new) or old.is_moved_for(new)) and source.server.is_there():
            keep_memory(source)
        if place := docker_place(_news):
            resume(place, _news["owners"])
            new.context(self.credentials).server.on_started("resumed")
        return UpdateResult(_news)

    def _learn_state(self, old: EstateValue | None, news: Mapping[str, Any]) -> None:
        """What this process has not read, as after a change of the settings, is in the state."""
        if old and old.policies and news.get("owner"):
            run = old.context(self.credentials).run
            if not any(map(run.has_read, old.policies)):
                streams, consumers = in_state(news["owner"], old.of)
                for stream in streams:
                    run.on_read(stream.name, stream.on_delete, _created_now(stream), data=stream.data)
                for consumer in consumers:
                    run.on_consumer_read(consumer)


def _learn_trust(props: Mapping[str, Any]) -> None:
    """Tell the run whose certificate the server shows, or will show."""
    if props.get("ca"):
        this_run().trust(props["ca"])


def _differs(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    return any(olds.get(key) != news.get(key) for key in _KEPT)


def _created_now(stream: StreamState) -> str | None:
    """When the stream was created that has taken over what the state's one held."""
    return CarryFolder(stream.data.store, stream.name).current(stream.created)


def docker_place(props: Mapping[str, Any]) -> DockerPlace | None:
    """Where the server is on a Docker engine, by the properties of a resource."""
    docker = props.get("docker")
    if not docker:
        return None
    numbers = {"ports": [int(port) for port in docker["ports"]], "nodes": int(docker.get("nodes") or 1)}
    return DockerPlace(**{**docker, **numbers})


def _docker_preflight(olds: Mapping[str, Any], news: Mapping[str, Any]) -> tuple[Verdict, list[str] | None]:
    """The engine's problems, and whose marks are the stack's own: what the state says, else what the program does."""
    owners = (olds or {}).get("owners") or news.get("owners")
    place = docker_place(news)
    if place is None or owners is None:
        return Verdict(), owners
    before = docker_place(olds or {})
    if before and before.name != place.name:
        return Verdict((renamed(before, place),)), owners
    inherits = bool(olds) and not olds.get("docker") and olds["store"] == news["store"]
    watching = {name: int(port) for name, port in (news.get("watching") or {}).items()}
    return docker_preflight(place, owners, inherits=inherits, watching=watching)


def _estate(props: Mapping[str, Any]) -> EstateValue:
    return EstateValue(
        owns_server=props["owns_server"],
        url=props["url"],
        monitor_url=props.get("monitor_url"),
        store=props["store"],
        process=props.get("process", ""),
        removed_with_server=props["removed_with_server"],
        policies={name: OnDelete(policy) for name, policy in props["policies"].items()},
        grown_from=props.get("grown_from"),
        nodes=int(props.get("nodes") or 1),
        encryption=props.get("encryption"),
        of=name_of(props),
        login=login_of(props),
    )


def _program(props: Mapping[str, Any]) -> Program:
    """What the program wants, of what it has registered."""
    specs = map(properties.spec, props["streams"])
    return Program(
        specs={spec.name: spec for spec in specs},
        consumers=tuple(map(consumer_properties.spec, props.get("consumers") or ())),
        unread=frozenset(props.get("unread") or ()),
        is_complete=not props.get("incomplete"),
    )
