"""What becomes of messages once a stream has reached a limit."""

from __future__ import annotations

from typing import Any

from provisioner.schema.model import StreamConfig


def consequence(config: StreamConfig) -> str | None:
    """What a limit does to messages somebody counts on; a stream that only keeps the newest is meant to be full."""
    rows: tuple[tuple[Any, str | None], ...] = (
        (config["sealed"], None),
        (config["discard"] == "new", "then new messages are refused"),
        (config["retention"] != "limits", "then messages are dropped before they are consumed"),
        (config["max_age"], "then the oldest are dropped before max_age"),
    )
    return next((consequence for applies, consequence in rows if applies), None)
