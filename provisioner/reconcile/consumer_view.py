"""The consumers of one server's streams a moment ago: one LIST a stream answers all reads of a plan."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumers
from provisioner.schema.consumer_model import ConsumerInfo


class ConsumerView:
    """Safe from several threads.

    Args:
        client: gives the server's connection.
        max_age: seconds for which an answer is good enough for a plan.
    """

    def __init__(self, client: Callable[[], JetStream], max_age: float) -> None:
        self._client, self._max_age = client, max_age
        self._lock = threading.Lock()
        self._lists: dict[str, tuple[float, Mapping[str, ConsumerInfo]]] = {}

    def seen(self, stream: str) -> Mapping[str, ConsumerInfo]:
        """A stream's consumers by name, as old as a plan may be; none where there is no such stream."""
        with self._lock:
            listed = self._lists.get(stream)
            if listed is None or time.monotonic() - listed[0] > self._max_age:
                listed = self._lists[stream] = (time.monotonic(), consumers(self._client(), stream))
            return listed[1]

    def forget(self, stream: str) -> None:
        """Ask again next time: something is about to change."""
        with self._lock:
            self._lists.pop(stream, None)
