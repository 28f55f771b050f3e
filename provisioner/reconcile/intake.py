"""Stopping what a stream takes in while it is copied.

A snapshot is taken while publishers go on, and what they add meanwhile is not in it. So nothing is
acknowledged any more before the copy begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provisioner.errors import ProvisionerError
from provisioner.reconcile.context import Context
from provisioner.rules.intake import closed
from provisioner.schema.model import StreamConfig


@contextmanager
def stopped_intake(context: Context, config: StreamConfig) -> Iterator[None]:
    """Close a stream before the block, and open it again if the block fails; if not, the caller goes on with it."""
    if config == closed(config):
        yield
        return
    update(context, closed(config))
    try:
        yield
    except ProvisionerError:
        update(context, config)
        raise


def update(context: Context, config: StreamConfig) -> None:
    """Send a whole configuration."""
    context.server.remember(config["name"], context.client().update(config))
