"""``Consumer``: a durable consumer of a stream as a Pulumi resource. Thin: Pulumi's calls onto ``reconcile``.

The class of the provider is pickled by reference into the state, so ``ConsumerProvider`` keeps its
name and place for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult
from pulumi.output import Unknown

from provisioner.errors import LoginRefused, Unreachable
from provisioner.plan.consumer_diff import plan_consumer
from provisioner.plan.diff import Effect
from provisioner.providers import consumer_properties as properties
from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider
from provisioner.providers.stream import Endpoint, StreamOptions, context_of, given_on, resource_options
from provisioner.reconcile.consumers import delete_consumer, ensure_consumer
from provisioner.reconcile.context import Context
from provisioner.schema.config import config_of
from provisioner.schema.consumer_model import ConsumerSpec, keeper_name
from provisioner.schema.model import StreamConfig

# What the program tells the provider for one run; not in the state.
_PASSING: Final = ("ready",)
_HALF: Final = "half replaced by a run that was cut short; its position is kept, and up completes it"


class ConsumerProvider(Provider):
    """Creates, reads, updates and deletes one consumer."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what cannot be read; what the server would refuse is found by the estate."""
        failures: list[CheckFailure] = []
        given = {key: value for key, value in news.items() if key not in _PASSING}
        properties.spec(given, lambda at, what: failures.append(CheckFailure("", f"{'.'.join(map(str, at))} {what}")))
        if failures or isinstance(news.get("ready"), Unknown):
            return CheckResult(given, failures)
        return CheckResult(properties.filled_in(_olds, given, self._stream(given)), [])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare whole configurations, server defaults applied to both sides.

        What the server cannot change in place is no replacement of the resource: the new consumer goes on where the
        old one was, or its shift has been approved.
        """
        old, new = properties.spec(_olds).config, properties.spec(_news).config
        changes = plan_consumer(old, new, self._stream(_news)).effect is not Effect.NOTHING
        noted = any(_olds.get(key) != _news.get(key) for key in properties.BOOKKEEPING)
        moved = ["stream"] if _olds["stream"] != _news["stream"] else []
        return DiffResult(changes=changes or noted, replaces=moved)

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


class Consumer(Resource, module="jetstream", name="Consumer"):
    """A durable consumer of a stream.

    Args:
        resource_name: the name in Pulumi's state.
        spec: the consumer, as a catalogue describes it.
        endpoint: the server its stream is on.
        options: what holds for every resource of the run.
        opts: Pulumi's options; it has to depend on its stream.
    """

    stream: pulumi.Output[str]
    durable_name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        spec: ConsumerSpec,
        endpoint: Endpoint,
        options: StreamOptions | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        run = options or StreamOptions()
        props = {**properties.inputs(spec, run.on_delete), **given_on(endpoint, {"owner": run.owner})}
        super().__init__(ConsumerProvider(), resource_name, props, resource_options(opts))
