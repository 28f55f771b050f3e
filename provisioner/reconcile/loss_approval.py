"""The approval without which no stored message is deleted: one variable, for one run, by the stream's name."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.jetstream.client import JetStream
from provisioner.plan.diff import Plan
from provisioner.plan.message_loss import Loss, forecast
from provisioner.reconcile.context import Context
from provisioner.reconcile.verdict import Verdict
from provisioner.rules.work_queue import filters
from provisioner.schema.model import StreamInfo, StreamSpec
from provisioner.text import did_you_mean

# The environment variable that names the streams which may lose messages in one run.
ALLOW_LOSS: Final = "STREAMS_ALLOW_LOSS"


@dataclass(frozen=True)
class StreamCounter:
    """Counts one stream's messages, for ``plan.message_loss``."""

    client: JetStream
    stream: str

    def before(self, instant: str) -> int | None:
        return self.client.before(self.stream, instant)

    def per_subject(self) -> Iterator[int]:
        return self.client.per_subject(self.stream)

    def acknowledged(self) -> int:
        return sum(self._taken_by(each) - _awaited_by(each) for each in self.client.consumer_states(self.stream))

    def awaited(self) -> int:
        return sum(map(_awaited_by, self.client.consumer_states(self.stream)))

    def _taken_by(self, consumer: Mapping[str, Any]) -> int:
        return sum(sum(self.client.per_subject(self.stream, each)) for each in filters(consumer["config"]))


def _awaited_by(consumer: Mapping[str, Any]) -> int:
    return int(consumer["num_pending"]) + int(consumer["num_ack_pending"])


def approved_names() -> list[str]:
    """The streams that this run may delete messages of."""
    return [word for word in map(str.strip, os.environ.get(ALLOW_LOSS, "").split(",")) if word]


def may_lose(name: str) -> bool:
    """Whether this run was told that a stream may lose messages."""
    return name in approved_names()


def approve(name: str, loss: str) -> Verdict:
    """A problem until the run names the stream, then a note."""
    if may_lose(name):
        return Verdict(notes=(f"{name}: {loss}; {ALLOW_LOSS} allows it",))
    return Verdict((f"{name}: {loss}; {how_to_allow(name)}",))


def approval_problems(names: Collection[str]) -> list[Verdict]:
    """An approval that names no stream is a mistyped one."""
    unknown = [name for name in approved_names() if name not in names]
    return [Verdict((f"{ALLOW_LOSS}: there is no stream {name}{did_you_mean(name, names)}",)) for name in unknown]


def how_to_allow(name: str) -> str:
    """The end of every refusal."""
    return f"to allow it for one run: {ALLOW_LOSS}={name} pulumi up"


def loss_of(context: Context, spec: StreamSpec, info: StreamInfo, planned: Plan) -> Loss:
    """What a plan costs in messages, counted now."""
    return forecast(info, spec.config, planned, StreamCounter(context.client(), info.config["name"]))


def approval_of(name: str, loss: Loss) -> Verdict:
    """What a plan's loss means for the run; nothing where nothing is lost."""
    if loss:
        return approve(name, str(loss))
    return Verdict(notes=(f"{name}: {loss.note}",) if loss.note else ())
