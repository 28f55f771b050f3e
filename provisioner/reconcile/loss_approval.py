"""The approval without which no stored message is deleted: one variable, for one run, by the stream's name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from provisioner.jetstream.client import JetStream
from provisioner.plan.diff import Plan
from provisioner.plan.message_loss import Loss, forecast
from provisioner.reconcile.context import Context
from provisioner.schema.model import StreamInfo, StreamSpec

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


def may_lose(name: str) -> bool:
    """Whether this run was told that a stream may lose messages."""
    return name in (word.strip() for word in os.environ.get(ALLOW_LOSS, "").split(","))


def how_to_allow(name: str) -> str:
    """The end of every refusal."""
    return f"to allow it for one run: {ALLOW_LOSS}={name} pulumi up"


def loss_of(context: Context, spec: StreamSpec, info: StreamInfo, planned: Plan) -> Loss:
    """What a plan costs in messages, counted now."""
    return forecast(info, spec.config, planned, StreamCounter(context.client(), spec.name))


def refusals(name: str, loss: Loss) -> list[str]:
    """The loss that nobody has allowed, if there is one."""
    return [f"{name}: {loss}; {how_to_allow(name)}"] if loss and not may_lose(name) else []


def allowances(name: str, loss: Loss) -> list[str]:
    """The loss that somebody has allowed, for the plan to say."""
    return [f"{name}: {loss}; {ALLOW_LOSS} allows it"] if loss and may_lose(name) else []
