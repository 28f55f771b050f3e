"""The provider of durable consumers. Thin: Pulumi's calls onto ``reconcile``.

The class of the provider is pickled by reference into the state, so ``ConsumerProvider`` keeps its
name and place for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from provisioner.errors import LoginRefused, ProvisionerError, Unreachable
from provisioner.plan.consumer_diff import plan_consumer
from provisioner.plan.diff import Effect
from provisioner.providers import consumer_properties as properties
from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider
from provisioner.providers.server_login import SERVER, context_of, url_problem
from provisioner.providers.stream import IMPORTED, PASSING
from provisioner.providers.unknown import is_unknown, known, supposed, unasked, unknown
from provisioner.reconcile.consumers import consumer_preflight, delete_consumer, ensure_consumer
from provisioner.reconcile.context import Context
from provisioner.reconcile.notices import notice_once
from provisioner.schema.config import config_of
from provisioner.schema.consumer_model import ConsumerSpec, keeper_name
from provisioner.schema.model import StreamConfig

# What a consumer is known by: another is another consumer.
_IDENTITY: Final = ("stream", "durable_name")
_HALF: Final = "half replaced by a run that was cut short; its position is kept, and up completes it"


class ConsumerProvider(Provider):
    """Creates, reads, updates and deletes one consumer."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse in preview what ``up`` would run into, where the estate has not done so for all."""
        given = {key: value for key, value in news.items() if key not in PASSING}
        if any(map(is_unknown, (news["stream"], news["durable_name"], news["url"]))):
            notice_once(unasked("a consumer", given))
            return CheckResult(given, [])
        failures: list[CheckFailure] = []
        spec = properties.spec(
            known(given), lambda at, what: failures.append(CheckFailure("", f"{'.'.join(map(str, at))} {what}"))
        )
        if problem := url_problem(news):
            failures.append(CheckFailure("", problem))
        if failures:
            return CheckResult(given, failures)
        if unknown(given):
            notice_once(unasked(spec.label, given))
        inputs = properties.canonical(known(given), spec)
        if unknown(news):
            return CheckResult(inputs | unknown(given), [])
        found = self._preflight(spec, inputs, news.get(IMPORTED), in_state=bool(_olds))
        filled = properties.filled_in(_olds, inputs, self._stream(given))
        return CheckResult(filled, [CheckFailure("", problem) for problem in found])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare whole configurations, server defaults applied to both sides.

        What the server cannot change in place is no replacement of the resource: the new consumer goes on where the
        old one was, or its shift has been approved.
        """
        news = supposed(_olds, _news)
        old, new = properties.spec(_olds).config, properties.spec(news).config
        changes = plan_consumer(old, new, self._stream(news)).effect is not Effect.NOTHING
        noted = any(_olds.get(key) != _news.get(key) for key in properties.BOOKKEEPING)
        moved = [key for key in _IDENTITY if _olds[key] != news[key]]
        return DiffResult(changes=changes or noted or bool(unknown(_news)), replaces=moved)

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the consumer, or take over the one that is there."""
        spec = properties.spec(props)
        ensure_consumer(context_of(self.credentials, props), spec)
        return CreateResult(spec.label, props)

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What the server holds now, and in the inputs each field that differs from what was wanted."""
        where, spec = context_of(self.credentials, props), properties.spec(props)
        where.run.on_consumer_read(spec)
        actual = self._actual(where, spec, props)
        return ReadResult(id_, actual, actual)

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring the consumer to its configuration; create it if it is gone."""
        where, spec = context_of(self.credentials, _news), properties.spec(_news)
        where.run.on_consumer_read(spec)
        ensure_consumer(where, spec)
        return UpdateResult(_news)

    @one_line
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the consumer as its policy says."""
        where = context_of(self.credentials, _props)
        if where.server.is_there():  # of a server of ours that is gone, the stream's own deletion has to say
            delete_consumer(where, properties.spec(_props))

    def _actual(self, where: Context, spec: ConsumerSpec, props: dict[str, Any]) -> dict[str, Any]:
        """The properties by what is there; where it is not whole, a status, which the program never has."""
        try:
            present = where.server.consumers.seen(spec.stream, [spec.name])
        except (Unreachable, LoginRefused) as error:  # the program, which runs next, may have another login
            return {**props, "status": f"unreachable: {error}"}
        if keeper_name(spec.name) in present:
            return {**props, "status": _HALF}
        if spec.name not in present:
            return {**props, "status": "missing"}
        return properties.overlaid(props, present[spec.name], self._stream(props))

    def _preflight(
        self, spec: ConsumerSpec, inputs: Mapping[str, Any], imported: str | None, *, in_state: bool
    ) -> tuple[str, ...]:
        """What the estate has not looked at: of a program without one, or a stream that is not the program's."""
        where = context_of(self.credentials, inputs)
        if in_state:
            where.run.on_consumer_read(spec)
        if not inputs.get(SERVER) or (spec.label in where.run.past_gate and not imported):
            return ()
        try:
            present = where.server.consumers.seen(spec.stream, [spec.name])
            if imported and spec.name not in present:
                return (f"import_: there is no {imported} on {inputs['url']}; leave import_ out to create it",)
            result = consumer_preflight(where, spec, present, self._stream(inputs))
        except ProvisionerError as error:
            if not where.server.may_go_unasked(error):
                raise
            notice_once(f"{error}: planned without asking the server")
            return ()
        for note in result.notes:
            notice_once(note)
        return result.problems

    def _stream(self, props: Mapping[str, Any]) -> StreamConfig:
        """The consumer's stream: as the program wants it, else as it is; its limits are the consumer's defaults."""
        return stream_config(context_of(self.credentials, props), props["stream"])


def stream_config(where: Context, name: str) -> StreamConfig:
    """A stream as the program wants it, else as it is on the server, else with every default."""
    if spec := (where.run.specs or {}).get(name):
        return spec.config
    try:
        info = where.server.seen(name)
    except (Unreachable, LoginRefused):
        info = None
    return info.config if info else config_of({"name": name})
