"""What carrying a stream over means, in words for the plan."""

from __future__ import annotations

import math
from typing import Final

from provisioner.plan.diff import Effect, Plan
from provisioner.plan.held import held
from provisioner.schema.model import StreamInfo
from provisioner.text import approximate_size, counted
from provisioner.units import format_duration

# How long the gap is, as measured on one machine, until a stack has a measurement of its own.
LEAST_GAP_S: Final = 0.3
BYTES_PER_S: Final = 20 * 1024 * 1024

_SECOND_NS: Final = 1_000_000_000


def carry_note(name: str, info: StreamInfo, planned: Plan, rate: int | None) -> str:
    """What is carried over, and for how long nobody can publish.

    Args:
        name: the stream as it is wanted.
        info: the stream as it is, under this name or another.
        planned: the change.
        rate: bytes per second, as measured the last time.
    """
    changes = [str(change) for change in planned.changes if change.effect is Effect.CARRY]
    renamed = [f"renamed from {info.config['name']}"] if name != info.config["name"] else []
    what = f"{held(info)} ({approximate_size(info.bytes)})"
    consumers = f" and {counted(info.consumers, 'consumer')}" if info.consumers else ""
    start = f"{name}: {', '.join((*renamed, *changes))} needs a new stream"
    if info.is_empty:
        return f"{start}; there is nothing to carry over"
    return f"{start}: carried over with {what}{consumers}; publishers get no answer for about {_gap(info.bytes, rate)}"


def _gap(size: int, rate: int | None) -> str:
    return format_duration(math.ceil(LEAST_GAP_S + size / (rate or BYTES_PER_S)) * _SECOND_NS)
