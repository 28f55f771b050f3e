"""Bringing one consumer from what it is to what is wanted, and finding beforehand what is in the way."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provisioner.errors import Conflict
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.plan.consumer_diff import RESET_SINCE, ConsumerPlan, plan_consumer
from provisioner.plan.consumer_position import Shift, forecast_shift
from provisioner.plan.diff import Effect
from provisioner.reconcile.consumer_carry import (
    carry_consumer,
    completed,
    keeper_of,
    kept_for,
    nodes_missing,
    remove_relieved,
)
from provisioner.reconcile.context import Context
from provisioner.reconcile.loss_approval import approve, may_lose
from provisioner.reconcile.permitted import missing_for_consumer
from provisioner.reconcile.server_view import PLAN_TIMEOUT_S
from provisioner.reconcile.verdict import Verdict, together
from provisioner.rules.consumer_config import consumer_problems
from provisioner.rules.consumer_estate import age_problems, beside_problems
from provisioner.rules.jetstream_limits import consumer_limit_problems
from provisioner.rules.normalise import normalise
from provisioner.schema.consumer_model import (
    KEEPER,
    UNPOSITIONED,
    ConsumerConfig,
    ConsumerInfo,
    ConsumerSpec,
    keeper_name,
)
from provisioner.schema.model import Adopt, OnDelete, StreamConfig
from provisioner.text import counted

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Stored:
    """Counts the messages of one stream, for ``plan.consumer_position``."""

    client: JetStream
    stream: str

    def matching(self, subject: str) -> int:
        return sum(self.client.per_subject(self.stream, subject))


def consumer_preflight(
    context: Context, spec: ConsumerSpec, present: Mapping[str, ConsumerInfo], stream: StreamConfig
) -> Verdict:
    """Everything that carrying out the plan would run into, found without touching anything.

    Args:
        context: the server and the run.
        spec: the consumer.
        present: the consumers that its stream has now.
        stream: the stream as it is wanted.
    """
    live = present.get(spec.name)
    if live is None or keeper_name(spec.name) in present:
        problems = _problems(context, spec, _others(spec, present), stream, is_new=True)
        return together((Verdict(problems), missing_for_consumer(context, spec.stream)))
    if problem := adoption_problem(context, spec, live, stream):
        return Verdict((problem,))
    planned = _plan(context, live, spec, stream)
    if planned.effect is Effect.NOTHING:
        return Verdict()
    problems = (
        _problems(context, spec, _others(spec, present), stream, is_new=False)
        or _in_the_way(live, planned)
        or _node_problems(context, spec, planned, stream)
    )
    approval = Verdict(problems) if problems else _approval(context, spec, live, planned)
    return together((approval, missing_for_consumer(context, spec.stream)))


def arriving_preflight(
    source: Context, spec: ConsumerSpec, live: ConsumerInfo, stream: StreamConfig, origin: str
) -> Verdict:
    """What a change of a consumer means that comes along with its stream in the same run.

    Args:
        source: the server that has it, and the run.
        spec: the consumer as it is wanted.
        live: the consumer as it is.
        stream: the stream as it is wanted.
        origin: what the stream is called there.
    """
    if problem := adoption_problem(source, spec, live, stream):
        return Verdict((problem,))
    planned = _plan(source, live, spec, stream)
    return _verdict(spec, planned, forecast_shift(live, spec.config, planned, _Stored(source.client(), origin)))


def ensure_consumer(context: Context, spec: ConsumerSpec) -> ConsumerInfo:
    """Bring a consumer to its configuration: created if it is gone, untouched if it is right.

    Args:
        context: the server and the run.
        spec: the consumer.

    Raises:
        Conflict: it may not be taken over, or has changed since the plan in a way that needs an approval.
        ApiError: the server refuses.
    """
    client, stream = context.client(), _stream(context, spec)
    context.server.consumers.forget(spec.stream)
    live, keeper = consumers.awaited(client, spec.stream, spec.name), keeper_of(client, spec.stream, spec.name)
    if live is None or live.config["pause_until"] == UNPOSITIONED:
        return _made(client, spec, stream, live, keeper)
    if keeper:
        if not kept_for(keeper, live) and _is_behind(live, keeper, _plan(context, live, spec, stream)):
            return _made(client, spec, stream, live, keeper)
        context.run.on_consumer_read(spec)
        remove_relieved(client, stream, keeper.name, spec.name)
    if problem := adoption_problem(context, spec, live, stream):
        raise Conflict(problem)
    planned = _plan(context, live, spec, stream)
    if problems := (*map(str, planned.problems), *_in_the_way(live, planned)):
        raise Conflict(f"{spec.label}: {'; '.join(problems)}")
    if problems := _approval(context, spec, live, planned).problems:
        raise Conflict("; ".join(problems))
    return _changed(context, spec, live, planned, stream)


def delete_consumer(context: Context, spec: ConsumerSpec) -> None:
    """Delete a consumer as its policy says. Idempotent.

    Raises:
        Conflict: the policy is guard, and messages wait to be acknowledged.
    """
    client = context.client()
    live = consumers.awaited(client, spec.stream, spec.name)
    if live is None or spec.on_delete is OnDelete.RETAIN:
        return
    if problem := deletion_problem(spec, live):
        raise Conflict(problem)
    _LOG.info("%s: deleted with %s outstanding", spec.label, counted(live.outstanding, "message"))
    consumers.remove(client, spec.stream, spec.name)


def deletion_problem(spec: ConsumerSpec, live: ConsumerInfo) -> str | None:
    """Why a consumer may not go: nobody would know any more what it was yet to deliver."""
    if spec.on_delete is not OnDelete.GUARD or not live.outstanding or may_lose(spec.label) or may_lose(spec.stream):
        return None
    waiting = counted(live.outstanding, "message")
    return "; ".join(approve(spec.label, f"{waiting} wait to be acknowledged, and on_delete is guard").problems)


def adoption_problem(context: Context, spec: ConsumerSpec, live: ConsumerInfo, stream: StreamConfig) -> str | None:
    """Why a consumer that is there already, and is not ours, may not be taken over."""
    if context.run.owns_consumer(spec):
        return None
    since = f"{spec.label} already exists (created {live.created[:19]}Z)"
    if spec.adopt is Adopt.NEVER:
        return f"{since}, and adopt is never; delete the consumer, or set adopt: equal"
    planned = _plan(context, live, spec, stream)
    if planned.effect is Effect.NOTHING or (spec.adopt is Adopt.ALWAYS and planned.effect is Effect.UPDATE):
        return None
    listed = ", ".join(map(str, (*planned.changes, *planned.problems)))
    also = "" if planned.effect > Effect.UPDATE else ", or set adopt: always"
    return f"{since} with other settings ({listed}); make the catalogue say what is there, delete it{also}"


def _plan(context: Context, live: ConsumerInfo, spec: ConsumerSpec, stream: StreamConfig) -> ConsumerPlan:
    version = context.server.facts(spec.stream).version
    can_reset = version is None or version[:2] >= RESET_SINCE
    return plan_consumer(live.config, spec.config, stream, can_reset=can_reset)


def _problems(
    context: Context, spec: ConsumerSpec, others: list[ConsumerConfig], stream: StreamConfig, *, is_new: bool
) -> tuple[str, ...]:
    facts = context.server.facts(spec.stream)
    found = (
        *consumer_problems(spec.config, stream),
        *beside_problems(spec.config, stream, others, is_new=is_new),
        *age_problems(spec.config, facts),
        *consumer_limit_problems(spec.config, stream, facts),
    )
    return tuple(map(str, found))


def _in_the_way(live: ConsumerInfo, planned: ConsumerPlan) -> tuple[str, ...]:
    """A push consumer's subject changes only while nobody listens to the old one."""
    moves = any(change.field == "deliver_subject" and change.effect is Effect.UPDATE for change in planned.changes)
    if not (moves and live.is_bound):
        return ()
    return (f"deliver_subject: a client listens to {live.config['deliver_subject']}; stop it first",)


def _node_problems(
    context: Context, spec: ConsumerSpec, planned: ConsumerPlan, stream: StreamConfig
) -> tuple[str, ...]:
    if planned.effect is not Effect.CARRY or stream["retention"] != "interest":
        return ()
    problem = nodes_missing(context.client(), stream, spec.name, PLAN_TIMEOUT_S)
    return (f"{spec.label}: {problem}",) if problem else ()


def _approval(context: Context, spec: ConsumerSpec, live: ConsumerInfo, planned: ConsumerPlan) -> Verdict:
    stored = _Stored(context.client(), spec.stream)
    return _verdict(spec, planned, forecast_shift(live, spec.config, planned, stored))


def _verdict(spec: ConsumerSpec, planned: ConsumerPlan, shift: Shift) -> Verdict:
    if shift:
        return approve(spec.label, str(shift))
    anew = ", ".join(map(str, planned.replaces))
    return Verdict(
        notes=(f"{spec.label}: {anew} needs a new consumer, which goes on where the old one is",) if anew else ()
    )


def _others(spec: ConsumerSpec, present: Mapping[str, ConsumerInfo]) -> list[ConsumerConfig]:
    return [info.config for name, info in present.items() if name != spec.name and not name.startswith(KEEPER)]


def _is_behind(live: ConsumerInfo, keeper: ConsumerInfo, planned: ConsumerPlan) -> bool:
    """Whether this one is no whole successor of ours: a service has made it while a run of ours was killed."""
    return live.acknowledged < keeper.acknowledged or planned.effect > Effect.UPDATE


def _made(
    client: JetStream, spec: ConsumerSpec, stream: StreamConfig, live: ConsumerInfo | None, keeper: ConsumerInfo | None
) -> ConsumerInfo:
    """A new consumer, or the rest of a replacement that was killed."""
    if not (live or keeper):
        return consumers.make(client, spec.stream, spec.config)
    consumers.remove(client, spec.stream, spec.name)
    return completed(client, stream, spec.config)


def _changed(
    context: Context, spec: ConsumerSpec, live: ConsumerInfo, planned: ConsumerPlan, stream: StreamConfig
) -> ConsumerInfo:
    client = context.client()
    _LOG.debug("%s: %s %s", spec.label, planned.effect.name, ", ".join(map(str, planned.changes)))
    match planned.effect:
        case Effect.NOTHING:
            return live
        case Effect.UPDATE:
            return consumers.update(client, spec.stream, spec.config)
        case Effect.CARRY:
            return carry_consumer(client, stream, live, spec.config)
        case _:
            consumers.remove(client, spec.stream, spec.name)
            return consumers.make(client, spec.stream, spec.config)


def _stream(context: Context, spec: ConsumerSpec) -> StreamConfig:
    """The consumer's stream, as it is now."""
    info = context.server.current(spec.stream)
    if info is None:
        raise Conflict(f"{spec.label}: there is no stream {spec.stream}")
    return normalise(info.config)
