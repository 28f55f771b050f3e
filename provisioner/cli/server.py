"""The server that a command works on, and work on several of its streams."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Final, TypeVar

from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import target
from provisioner.log import tell

T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 3.0  # a command does not wait for a server that is starting


def connected(url: str | None) -> closing[JetStream]:
    """A client of the server that the option or the environment names."""
    server = target(url, "", os.environ)
    return closing(JetStream(server.url, server.credentials, CONNECT_TIMEOUT_S))


def for_each(items: Iterable[T], work: Callable[[T], str]) -> int:
    """Print a line for each item; one with a problem does not keep the others from their turn.

    Returns:
        The exit code: 1 if there was a problem.
    """
    code = 0
    for item in items:
        try:
            print(work(item), flush=True)
        except ProvisionerError as error:
            tell(str(error))
            code = 1
    return code
