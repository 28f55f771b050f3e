"""A cluster between two leaders: who asks then has to ask again.

A leader that is killed is missed after 4 to 9 seconds (nats-server's raft.go). Until that is noticed, requests get no
answer; afterwards, and until there is another, they are refused without having been looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from provisioner.errors import NO_META_LEADER, ApiError, Unreachable

T = TypeVar("T")

ELECTION_TIMEOUT_S: Final = 12.0
_PAUSE_S: Final = 0.2
# Below $JS.API: to ask these twice changes nothing.
_READS: Final = ("INFO", "STREAM.INFO.", "STREAM.LIST", "STREAM.NAMES", "CONSUMER.LIST.")


def outlast_election(subject: str, ask: Callable[[], T]) -> T:
    """The answer to a request of a cluster, asked again while nobody leads it; a read also while it has no answer.

    Raises:
        Unreachable: there is no leader, or no answer, for longer than an election takes.
    """
    deadline = time.monotonic() + ELECTION_TIMEOUT_S
    while True:
        try:
            return ask()
        except ApiError as error:
            if error.code != NO_META_LEADER:
                raise
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"the cluster has had no leader for {ELECTION_TIMEOUT_S:g} s: start its nodes"
                ) from error
        except Unreachable:
            if not subject.startswith(_READS) or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_S)


def outlast_silence(read: Callable[[], T]) -> T:
    """The answer to a read of what has a leader of its own, asked again while there is none.

    Raises:
        Unreachable: there is no answer for longer than an election takes.
    """
    deadline = time.monotonic() + ELECTION_TIMEOUT_S
    while True:
        try:
            return read()
        except Unreachable:
            if time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_S)
