"""Updates that delete messages: the server answers when they are gone, which can take minutes."""

from __future__ import annotations

import math
import time
from typing import Final

from provisioner.errors import Unreachable
from provisioner.jetstream.timeouts import LONGEST_REQUEST_TIMEOUT_S
from provisioner.log import tell
from provisioner.plan.diff import differences
from provisioner.reconcile.context import Context
from provisioner.schema.model import StreamConfig, StreamInfo
from provisioner.text import counted

# A request may wait for another that trims; one that has not arrived by then is lost.
ARRIVAL_TIMEOUT_S: Final = 30.0
# In a cluster an answer can be lost, with the leader that was to give it, while the connection stays. A server that
# deletes has fewer messages at each look, or more than its new limits allow.
QUIET_TIMEOUT_S: Final = 30.0


def update(context: Context, config: StreamConfig) -> StreamInfo:
    """Update a stream, and wait for as long as the server shows that it is at work; the answer itself may be lost.

    Raises:
        Unreachable: the server does not answer, or has not got the update; or it has accepted it and
            is not done with it after LONGEST_REQUEST_TIMEOUT_S, as the text says.
        ApiError: it refuses.
    """
    watch = _Watch(context, config)
    try:
        return context.client().long_update(config, watch.is_at_work)
    except Unreachable:
        if watch.done:
            return watch.done
        raise


class _Watch:
    """The evidence of one update: the server tells of the stream, its settings are the new ones, its messages fewer.

    Attributes:
        done: the stream, once it has the new settings, no more than they allow, and loses no more messages.
    """

    def __init__(self, context: Context, config: StreamConfig) -> None:
        self._context, self._config = context, config
        self._began, self._told = time.monotonic(), False
        self._least, self._progressed = math.inf, self._began
        self.done: StreamInfo | None = None

    def is_at_work(self) -> bool:
        """Whether to wait on."""
        passed = time.monotonic() - self._began
        try:
            info = self._context.client().stream(self._config["name"])
        except Unreachable:
            return False
        if info is None or differences(info.config, self._config):
            return passed < ARRIVAL_TIMEOUT_S
        if passed > LONGEST_REQUEST_TIMEOUT_S:
            raise Unreachable(_accepted(info, f" after {passed:.0f} s; streams status shows how many are left"))
        self._tell(info)
        self.done = info if self._is_quiet(info) else None
        return self.done is None

    def _is_quiet(self, info: StreamInfo) -> bool:
        now = time.monotonic()
        if info.messages < self._least:
            self._least, self._progressed = info.messages, now
        return now - self._progressed > QUIET_TIMEOUT_S and not _is_over(info)

    def _tell(self, info: StreamInfo) -> None:
        if not self._told:
            self._told = True
            tell(_accepted(info, "; waiting for it"))


def _is_over(info: StreamInfo) -> bool:
    """Whether a stream has more than its limits allow, as far as its totals tell."""
    limits = info.config
    if limits["discard"] != "old":  # nothing is deleted for a limit then
        return False
    most = {
        "messages": [limits["max_msgs"], limits["max_msgs_per_subject"] * info.subjects],
        "bytes": [limits["max_bytes"]],
    }
    return any(0 < limit < getattr(info, total) for total, each in most.items() for limit in each)


def _accepted(info: StreamInfo, rest: str) -> str:
    left = counted(info.messages, "message")
    return f"{info.config['name']}: the server has accepted the change and is still deleting, with {left} left{rest}"
