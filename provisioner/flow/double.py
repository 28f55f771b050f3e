"""The stream ``_SMOKE``, which stands for the real ones while a message of the smoke test is on its way.

No catalogue can have a stream of that name. It is there for as long as a run takes; what a killed run has left
is removed by the next one.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provisioner.errors import NAME_IN_USE, ApiError, Conflict, ProvisionerError
from provisioner.flow.hops import Hop
from provisioner.flow.real import ELSEWHERE
from provisioner.flow.timing import timed
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import make
from provisioner.jetstream.timeouts import REQUEST_TIMEOUT_S
from provisioner.jetstream.transfer import Part
from provisioner.schema.config import config_of
from provisioner.schema.consumer_fields import consumer_config, consumer_value
from provisioner.schema.consumer_model import ConsumerConfig
from provisioner.schema.types import Wire
from provisioner.units import parse_duration

RUN: Final = "Smoke-Run"
PATH: Final = "Smoke-Path"
_LIMITS: Final = ("ack_wait", "max_deliver", "backoff")
_MAX_AGE: Final = "2m"
# Each step of a run is a request or two.
_LONGEST_STEP_S: Final = REQUEST_TIMEOUT_S + 1
_PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.2
_PULL: Final = json.dumps({"batch": 1, "expires": int(REQUEST_TIMEOUT_S * 1e9)}).encode()


@dataclass(frozen=True)
class Carried:
    """A message that has come over one hop.

    Attributes:
        headers: with what it arrived.
        stored: milliseconds until the stream had it.
        delivered: milliseconds from then until it was there.
        acknowledged: milliseconds until the server had its acknowledgement.
    """

    headers: Mapping[str, str]
    stored: float
    delivered: float
    acknowledged: float

    @property
    def total(self) -> float:
        """Milliseconds of the whole hop."""
        return self.stored + self.delivered + self.acknowledged


def delivery_limits(config: ConsumerConfig) -> dict[str, Wire]:
    """What a consumer says of deliveries: how long it waits, how often it tries."""
    return {name: consumer_value(config, name) for name in _LIMITS}


class Double:
    """The stream of one run; on leaving it is gone.

    Args:
        client: of whoever manages streams.
        replicas: as many as the real streams have.
    """

    def __init__(self, client: JetStream, replicas: int) -> None:
        self._client, self._run = client, f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._config = config_of(
            {
                "name": ELSEWHERE,
                "subjects": [f"{ELSEWHERE}.>"],
                "num_replicas": replicas,
                "max_age": parse_duration(_MAX_AGE),
                "max_bytes": 64 * 1024,
                "duplicate_window": parse_duration(_MAX_AGE),
                "metadata": {"run": self._run},
            }
        )

    def create(self) -> None:
        """Make the stream.

        Raises:
            Conflict: another run is at work.
            ApiError: the server refuses it.
        """
        try:
            self._client.create(self._config)
        except ApiError as error:
            if error.code != NAME_IN_USE:
                raise
            self._remove_left()
            self._client.create(self._config)

    def carry(self, hop: Hop, limits: Mapping[str, Wire], body: bytes, headers: Mapping[str, str]) -> Carried:
        """Publish as the hop's publisher would, take it from a consumer with these limits, and acknowledge it.

        Raises:
            ProvisionerError: it is refused, or does not arrive.
        """
        name, subject = f"{hop.publisher}-{hop.consumer}", f"{ELSEWHERE}.{hop.publisher}.{hop.consumer}.{hop.subject}"
        # With more replicas, a new consumer waits for an election of seconds while a node is down.
        named: dict[str, Wire] = {"durable_name": name, "filter_subject": subject, "num_replicas": 1}
        make(self._client, ELSEWHERE, consumer_config({**limits, **named}))
        sent = {**headers, RUN: self._run, PATH: f"{headers.get(PATH, hop.publisher)} {hop.service}"}
        _, stored = timed(lambda: self._client.publish(subject, body, sent))
        part, delivered = timed(lambda: self._next(name))
        self._check(part, body, hop)
        _, acknowledged = timed(lambda: self._client.connection.request(part.reply, b"+ACK"))
        return Carried(part.headers, stored, delivered, acknowledged)

    def remove(self) -> None:
        """Delete the stream, if it is this run's."""
        found = self._client.stream(ELSEWHERE)
        if found and found.config["metadata"].get("run") == self._run:
            self._client.delete(ELSEWHERE)

    def _next(self, consumer: str) -> Part:
        with self._client.connection.transfer() as transfer:
            transfer.send(f"{self._client.api}.CONSUMER.MSG.NEXT.{ELSEWHERE}.{consumer}", _PULL)
            return transfer.receive(REQUEST_TIMEOUT_S)

    def _check(self, part: Part, body: bytes, hop: Hop) -> None:
        if part.status:
            raise ProvisionerError(f"{ELSEWHERE} delivers no message: {part.status}")
        if part.data != body or part.headers.get(RUN) != self._run:
            raise ProvisionerError(f"what {hop.service} gets is not what {hop.publisher} has sent")

    def _remove_left(self) -> None:
        """Delete what a killed run has left; one at work, which makes a step every few seconds, is waited for.

        Raises:
            Conflict: it goes on and on.
        """
        deadline, state, since = time.monotonic() + _PATIENCE_S, None, time.monotonic()
        while found := self._client.stream(ELSEWHERE):
            now, seen = time.monotonic(), (found.created, found.messages, found.consumers)
            if seen != state:
                state, since = seen, now
            elif now - since > _LONGEST_STEP_S:
                self._client.delete(ELSEWHERE)
                return
            if now > deadline:
                raise Conflict(f"another smoke test is at work since {found.created}; wait for its end")
            time.sleep(_PAUSE_S)
