"""``Stream``: a JetStream stream as a Pulumi resource. Thin: Pulumi's calls onto ``reconcile``.

The class of the provider is pickled by reference into the state, so ``StreamProvider`` keeps
its name and place for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from provisioner.errors import Unreachable
from provisioner.jetstream.target import Credentials
from provisioner.plan.diff import plan
from provisioner.providers import properties as state
from provisioner.providers.errors import one_line, warn
from provisioner.reconcile import apply as reconcile
from provisioner.reconcile.preflight import preflight
from provisioner.reconcile.session import Session, session
from provisioner.schema.model import OnDelete, StreamSpec

# What the program tells the provider for one run; not in the state.
_PASSING: Final = ("ready", "catalogue")
_CREDENTIALS: Final = ("user", "password", "token", "credentials")


class StreamProvider(ResourceProvider):
    """Creates, reads, updates and deletes one stream."""

    serialize_as_secret_always = False
    _credentials = Credentials()

    def configure(self, req: ConfigureRequest) -> None:
        """Take the credentials from the stack's settings: they are in no resource and no state."""
        self._credentials = Credentials(**{key: req.config.get(key) for key in _CREDENTIALS})

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse in preview what ``up`` would run into."""
        ready = not isinstance(news.get("ready"), Unknown)
        inputs = state.filled_in(_olds, {key: value for key, value in news.items() if key not in _PASSING})
        if ready and "catalogue" in news:
            self._session(inputs).catalogue = (news["catalogue"], news.get("owner", ""))
        failures: list[CheckFailure] = []
        spec = state.spec(inputs, lambda at, what: failures.append(_failure(f"{'.'.join(map(str, at))} {what}")))
        if not failures and ready:
            failures = self._obstacles(spec, inputs, known=bool(_olds))
        return CheckResult(inputs, failures)

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare whole configurations, server defaults applied to both sides."""
        planned = plan(state.spec(_olds).config, state.spec(_news).config)
        if planned.replaces:
            self._session(_news).replacing.add(_id)
        changes = bool(planned.changes) or state.bookkeeping_differs(_olds, _news)
        return DiffResult(changes=changes, replaces=planned.replaces, delete_before_replace=True)

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the stream, or take over the one that is there."""
        spec = state.spec(props)
        return CreateResult(spec.name, state.outputs(props, reconcile.create(self._session(props), spec)))

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What the server holds now, and in the inputs each field that differs from what was wanted."""
        where = self._session(props)
        where.managed[id_] = OnDelete(props["on_delete"])
        try:
            live = where.seen(id_)
        except Unreachable as error:
            return ReadResult(id_, *state.unreachable(props, error))
        return ReadResult(id_, *state.found(props, live)) if live else ReadResult("", {})

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring the stream to its configuration; make it if it is gone."""
        live = reconcile.ensure(self._session(_news), state.spec(_news))
        return UpdateResult(state.outputs(_news, live))

    @one_line
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the stream as its policy says."""
        reconcile.delete(self._session(_props), state.spec(_props))

    def _session(self, props: Mapping[str, Any]) -> Session:
        found = session(props["url"], props.get("monitor_url"), self._credentials)
        found.backup_to = props.get("backup_to")
        return found

    def _obstacles(self, spec: StreamSpec, inputs: Mapping[str, Any], *, known: bool) -> list[CheckFailure]:
        where = self._session(inputs)
        where.managed.update({spec.name: spec.on_delete} if known and spec.on_delete else {})
        try:
            seen = preflight(where, spec, where.seen(spec.name), ours=spec.name in where.managed)
        except Unreachable as error:
            warn(f"{error}: planned without asking the server")
            return []
        for note in seen.notes:
            warn(note)
        return [_failure(problem) for problem in seen.problems]


def _failure(what: str) -> CheckFailure:
    """About the resource as a whole: of a single property Pulumi would print the value as Go writes it."""
    return CheckFailure("", what)


class Stream(Resource, module="jetstream", name="Stream"):
    """A JetStream stream.

    Args:
        resource_name: the name in Pulumi's state.
        spec: the stream, as a catalogue describes it.
        url: the server's client URL.
        monitor_url: its monitoring URL, for the storage it has left.
        ready: not known while the server has yet to be made: a preview then asks nobody.
        store: names the data behind the server: with another name, the stream is made there anew.
        catalogue: path of the catalogue it is from: what its other streams want, when subjects move.
        owner: project and stack, for streams with ``mark_owner``; another owner's mark is an error.
        backup_to: folder that a stream is written to before it loses messages.
        on_delete: the policy where the stream has none of its own: guard, delete or retain.
    """

    name: pulumi.Output[str]
    created: pulumi.Output[str]
    subjects: pulumi.Output[list[str]]

    def __init__(  # noqa: PLR0913 - each is a property of the resource
        self,
        resource_name: str,
        spec: StreamSpec,
        url: str,
        *,
        monitor_url: str | None = None,
        ready: pulumi.Input[str] | None = None,
        store: pulumi.Input[str] | None = None,
        catalogue: str | None = None,
        owner: str | None = None,
        backup_to: str | None = None,
        on_delete: OnDelete = OnDelete.GUARD,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        server = {"url": url, "monitor_url": monitor_url, "ready": ready, "store": store}
        run = {"catalogue": catalogue, "owner": owner, "backup_to": backup_to}
        super().__init__(
            StreamProvider(), resource_name, {**state.inputs(spec, on_delete), **server, **run, "created": None}, opts
        )
