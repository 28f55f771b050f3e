"""What one provider process knows of one server: its connection, and its streams a moment ago.

A plan reads every stream; one LIST answers all of those reads. Whatever is about to change
something asks again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from provisioner.catalogue.reader import load
from provisioner.errors import Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.jetstream.timeouts import FIRST_CONTACT_TIMEOUT_S
from provisioner.schema.model import OnDelete, ServerFacts, StreamInfo, StreamSpec

# Seconds: how old an answer may be for a plan, how long a plan waits for a server to answer, and
# for how long it then believes that the server is down.
_FRESH: Final = 5.0
_PLAN_TIMEOUT: Final = 2.0
_DOWN: Final = 5.0


class Session:
    """One server's streams; safe from several threads."""

    def __init__(self, url: str, monitor_url: str | None, credentials: Credentials) -> None:
        self.url = url
        self._monitor_url = monitor_url
        self._credentials = credentials
        self._lock = threading.RLock()
        self._client: JetStream | None = None
        self._down: tuple[float, Unreachable] | None = None
        self._snapshot: tuple[float, dict[str, StreamInfo]] | None = None
        self._facts: ServerFacts | None = None
        # Names that the state holds, with their policies: Pulumi checks a replacement as if it were new.
        self.managed: dict[str, OnDelete] = {}
        self.replacing: set[str] = set()
        self.moving = threading.RLock()
        self.backup_to: str | None = None
        # The catalogue that the streams of this run are from, and the stack they belong to.
        self.catalogue: tuple[str, str] | None = None

    def client(self, timeout: float | None = None) -> JetStream:
        """The connection, made at the first call.

        Raises:
            Unreachable: no answer within ``timeout`` seconds, FIRST_CONTACT_TIMEOUT_S of them if not told.
            Refused: wrong credentials.
        """
        with self._lock:
            self._client = self._client or JetStream(self.url, self._credentials, timeout or FIRST_CONTACT_TIMEOUT_S)
            return self._client

    def seen(self, name: str) -> StreamInfo | None:
        """A stream as it was at most a few seconds ago; for plans.

        Raises:
            Unreachable: known at once for a while after the first attempt.
        """
        return self._streams().get(name)

    def fresh(self, name: str) -> StreamInfo | None:
        """A stream as it is now; for whatever is about to change it."""
        return self.remember(name, self.client().stream(name))

    def present(self, name: str) -> StreamInfo | None:
        """The same, with the timeout of a plan; for a destroy, whose server may be gone for good."""
        return self.remember(name, self._planning_client().stream(name))

    def remember(self, name: str, live: StreamInfo | None) -> StreamInfo | None:
        """Keep the snapshot true after a change."""
        with self._lock:
            if self._snapshot:
                self._snapshot[1].pop(name, None)
                self._snapshot[1].update({name: live} if live else {})
        return live

    def facts(self, name: str) -> ServerFacts:
        """The server as the stream of this name meets it."""
        with self._lock:
            self._facts = self._facts or self._planning_client().facts(self._monitor_url)
            others = {other: live.config for other, live in self._streams().items() if other != name}
            return replace(self._facts, others=others)

    def siblings(self) -> Mapping[str, StreamSpec]:
        """Every stream of this run's catalogue, as it is wanted."""
        return _catalogue(*self.catalogue) if self.catalogue else {}

    def gives_up(self, live: StreamInfo) -> bool:
        """Whether a stream will not keep its subjects in this run: one of ours, with others wanted or none."""
        name = live.config["name"]
        if name in self.siblings():
            return name in self.managed
        empty = not live.messages and not live.consumers
        return self.managed.get(name) in ({OnDelete.DELETE, OnDelete.GUARD} if empty else {OnDelete.DELETE})

    def facts_after(self, facts: ServerFacts) -> ServerFacts:
        """The server as this run leaves it: our streams as they are wanted, without those that go."""
        streams, wanted = self._streams(), self.siblings()
        kept = {
            n: c for n, c in facts.others.items() if n in wanted or not (n in streams and self.gives_up(streams[n]))
        }
        ours = {name: wanted[name].config for name in kept if name in wanted and name in self.managed}
        return replace(facts, others={**kept, **ours})

    def forget(self) -> None:
        """Ask anew next time; after an error that shows the snapshot to be old."""
        with self._lock:
            self._snapshot = self._facts = None

    def _streams(self) -> dict[str, StreamInfo]:
        with self._lock:
            if not self._snapshot or time.monotonic() - self._snapshot[0] > _FRESH:
                self._snapshot = (time.monotonic(), self._planning_client().streams())
            return self._snapshot[1]

    def _planning_client(self) -> JetStream:
        if self._down and time.monotonic() - self._down[0] < _DOWN:
            raise self._down[1]
        try:
            return self.client(_PLAN_TIMEOUT)
        except Unreachable as error:
            self._down = (time.monotonic(), error)
            raise


@cache
def _catalogue(path: str, owner: str) -> Mapping[str, StreamSpec]:
    return {spec.name: replace(spec, owner=owner) for spec in load(Path(path)).streams}


@dataclass(frozen=True)
class StreamCounter:
    """Counts one stream's messages, for ``losses``."""

    client: JetStream
    stream: str

    def before(self, instant: str) -> int | None:
        return self.client.before(self.stream, instant)

    def per_subject(self) -> Iterator[int]:
        return self.client.per_subject(self.stream)


@cache
def session(url: str, monitor_url: str | None, credentials: Credentials) -> Session:
    """The process's session with a server."""
    return Session(url, monitor_url, credentials)
