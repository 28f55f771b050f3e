"""The consumers of one server's streams a moment ago: one LIST a stream answers all reads of a plan."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import ConsumerList, listed
from provisioner.schema.consumer_model import ConsumerInfo, keeper_name


class ConsumerView:
    """Safe from several threads.

    Args:
        client: gives the server's connection.
        max_age: seconds for which an answer is good enough for a plan.
    """

    def __init__(self, client: Callable[[], JetStream], max_age: float) -> None:
        self._client, self._max_age = client, max_age
        self._lock = threading.Lock()
        self._lists: dict[str, tuple[float, ConsumerList]] = {}

    def seen(self, stream: str, needed: Iterable[str]) -> Mapping[str, ConsumerInfo]:
        """A stream's consumers by name, as old as a plan may be; none where there is no such stream.

        Args:
            stream: its name.
            needed: the consumers that the plan is about; others may be without a leader, and are left out then.

        Raises:
            Unreachable: a needed one, or what keeps its position, does not answer.
        """
        with self._lock:
            asked, found = self._lists.get(stream, (-math.inf, ConsumerList({})))
            if time.monotonic() - asked > self._max_age:
                found = listed(self._client(), stream)
                self._lists[stream] = (time.monotonic(), found)
        names = {each for name in needed for each in (name, keeper_name(name))}
        return found.with_needed(self._client(), stream, names)

    def forget(self, stream: str) -> None:
        """Ask again next time: something is about to change."""
        with self._lock:
            self._lists.pop(stream, None)
