"""The yes without which no message is lost: one variable, for one run, by the stream's name."""

from __future__ import annotations

import os
from typing import Final

from provisioner.plan.diff import Plan
from provisioner.plan.message_loss import Loss, forecast
from provisioner.reconcile.session import Session, StreamCounter
from provisioner.schema.model import StreamInfo, StreamSpec

# The environment variable that names the streams which may lose messages in one run.
ALLOW_LOSS: Final = "STREAMS_ALLOW_LOSS"


def may_lose(name: str) -> bool:
    """Whether this run was told that a stream may lose messages."""
    return name in (word.strip() for word in os.environ.get(ALLOW_LOSS, "").split(","))


def how_to_allow(name: str) -> str:
    """The end of every refusal."""
    return f"to allow it for one run: {ALLOW_LOSS}={name} pulumi up"


def loss_of(session: Session, spec: StreamSpec, live: StreamInfo, planned: Plan) -> Loss:
    """What a plan costs in messages, counted now."""
    return forecast(live, spec.config, planned, StreamCounter(session.client(), spec.name))


def refusals(name: str, loss: Loss) -> list[str]:
    """The loss that nobody has allowed, if there is one."""
    return [f"{name}: {loss}; {how_to_allow(name)}"] if loss and not may_lose(name) else []


def allowances(name: str, loss: Loss) -> list[str]:
    """The loss that somebody has allowed, for the plan to say."""
    return [f"{name}: {loss}; {ALLOW_LOSS} allows it"] if loss and may_lose(name) else []
