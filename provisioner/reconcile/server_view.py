"""What one provider process sees of one server: its connection, and its streams a moment ago.

A plan reads every stream; one LIST answers all of those reads. Whatever is about to change
something asks again.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import urlsplit

from provisioner.errors import LoginRefused, NobodyListens, ProvisionerError, Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.session import OtherLogin, no_other_login
from provisioner.jetstream.target import Credentials
from provisioner.jetstream.timeouts import FIRST_CONTACT_TIMEOUT_S
from provisioner.jetstream.user_info import user_info
from provisioner.reconcile.consumer_view import ConsumerView
from provisioner.rules.permissions import UNLIMITED, Permissions, permissions_of
from provisioner.schema.model import ServerFacts, StreamInfo

T = TypeVar("T")

# How old an answer may be for a plan, how long a plan waits for a server to answer, and for how long
# it then believes that the server is down.
LIST_MAX_AGE_S: Final = 5.0
PLAN_TIMEOUT_S: Final = 2.0
DOWN_MAX_AGE_S: Final = 30.0

_THIS_MACHINE: Final = ("127.0.0.1", "localhost", "::1")
_DEFAULT_PORT: Final = 4222
_PROBE_TIMEOUT_S: Final = 1.0
_LOG: Final = logging.getLogger(__name__)


class ServerView:
    """One server's streams; safe from several threads.

    ``seen`` is as old as a plan may be, ``current`` and ``present`` ask now.

    Attributes:
        url: where clients connect.
        monitor_url: its HTTP monitoring, None if there is none.
        owned: whether the server is the stack's own.
        store: names the data behind it, which stays the same when the server moves to another port.
        consumers: those of its streams.
        renewed_login: gives the login to try when the server refuses one, or None.
        known_login: what the run has learned of how a server of the stack's own is met, or None.
    """

    def __init__(self, url: str, monitor_url: str | None, credentials: Credentials) -> None:
        self.url = url
        self.owned = False
        self.store = url
        self.renewed_login: OtherLogin = no_other_login
        self.known_login: Callable[[], Credentials | None] = _nothing_known
        self.monitor_url = monitor_url
        self._credentials = credentials
        self._lock = threading.RLock()
        self._client: JetStream | None = None
        self._failed_attempt: tuple[float, Unreachable] | None = None
        self._down: tuple[float, Unreachable] | None = None
        self._started: str | None = None
        self._list: tuple[float, dict[str, StreamInfo]] | None = None
        self._facts: ServerFacts | None = None
        self._permissions: Permissions | None = None
        self.consumers = ConsumerView(self.client, LIST_MAX_AGE_S)

    def client(self, timeout: float | None = None) -> JetStream:
        """The connection, made at the first call.

        Raises:
            Unreachable: no answer within ``timeout`` seconds, FIRST_CONTACT_TIMEOUT_S by default; who waits for
                somebody else's attempt shares its outcome.
            LoginRefused: wrong credentials.
        """
        began = time.monotonic()
        with self._lock:
            if self._failed_attempt and self._failed_attempt[0] > began:
                raise self._failed_attempt[1]
            if self._client is None:
                self._client = self._attempt(timeout or FIRST_CONTACT_TIMEOUT_S)
            return self._client

    def on_started(self, which: str) -> None:
        """End what is known of a server that was down: this run has started it, or found another start of it.

        Args:
            which: tells one start from another.
        """
        with self._lock:
            if which != self._started:
                self._started, self._down = which, None

    def close(self) -> None:
        """End the connection, if there is one."""
        with self._lock:
            if self._client:
                self._client.close()
            self._client = None

    def is_there(self) -> bool:
        """False where nobody listens at the port of a server of the stack's own; of others only an answer can tell."""
        return not self.owned or any(map(_may_listen, self.url.split(",")))

    def may_go_unasked(self, error: ProvisionerError) -> bool:
        """Whether a plan goes on without an answer: the run gives a server of the stack's own the keys it lacks."""
        return isinstance(error, Unreachable) or (isinstance(error, LoginRefused) and self.owned)

    def seen(self, name: str) -> StreamInfo | None:
        """A stream as it was at most LIST_MAX_AGE_S ago; for plans.

        Raises:
            Unreachable: known at once for a while after the first attempt.
        """
        with self._lock:
            return self._listed().get(name)

    def streams(self) -> Mapping[str, StreamInfo]:
        """Every stream, as ``seen``."""
        with self._lock:
            return dict(self._listed())

    def listed_now(self) -> Mapping[str, StreamInfo]:
        """Every stream, asked now within PLAN_TIMEOUT_S; before data goes."""
        with self._lock:
            self._list = None
            return self.streams()

    def current(self, name: str) -> StreamInfo | None:
        """A stream as it is now; for whatever is about to change it."""
        return self.remember(name, self.client().stream(name))

    def present(self, name: str) -> StreamInfo | None:
        """The same within PLAN_TIMEOUT_S; for a destroy, whose server may be gone for good."""
        return self.remember(name, self._asked(lambda client: client.stream(name)))

    def remember(self, name: str, info: StreamInfo | None) -> StreamInfo | None:
        """Keep the list true after a change."""
        with self._lock:
            if self._list:
                self._list[1].pop(name, None)
                if info:
                    self._list[1][name] = info
        return info

    def facts(self, name: str) -> ServerFacts:
        """The server as the stream of this name meets it."""
        with self._lock:
            self._facts = self._facts or self._facts_now()
            others = {other: info.config for other, info in self.streams().items() if other != name}
            return replace(self._facts, others=others)

    def _facts_now(self) -> ServerFacts:
        """Of a server of the stack's own, every node counts: up starts one that is down before it makes a stream."""
        facts = self._asked(lambda client: client.facts(self.monitor_url))
        nodes = tuple(replace(node, is_known=True) for node in facts.nodes or ())
        return replace(facts, nodes=nodes) if self.owned and nodes else facts

    def permissions(self) -> Permissions:
        """What the login may do, as far as the server tells; on a server of the stack's own nobody asks."""
        with self._lock:
            if self._permissions is None:
                self._permissions = UNLIMITED if self.owned else permissions_of(self._asked(user_info))
            return self._permissions

    def _listed(self) -> dict[str, StreamInfo]:
        if not self._list or time.monotonic() - self._list[0] > LIST_MAX_AGE_S:
            self._list = (time.monotonic(), self._asked(lambda client: client.streams()))
        return self._list[1]

    def forget(self) -> None:
        """Ask anew next time; after an error that shows the list to be old."""
        with self._lock:
            self._list = self._facts = self._permissions = None

    def _attempt(self, timeout: float) -> JetStream:
        try:
            return JetStream(self.url, self._first_login(), timeout, self._other_login)
        except Unreachable as error:
            self._failed_attempt = (time.monotonic(), error)
            raise

    def _first_login(self) -> Credentials:
        """For a server of the stack's own, whose data is not named by its URL, what the run knows already."""
        is_own = self.owned or self.store != self.url
        return (self.known_login() if is_own else None) or self._credentials

    def _other_login(self, refused: Credentials) -> Credentials | None:
        return self.renewed_login(refused)

    def _asked(self, question: Callable[[JetStream], T]) -> T:
        """The answer to a plan's question; a server that has not answered one is not asked another for a while.

        Nobody listening is seen at once, each time anew: the run may be about to start the server.
        """
        if not self.is_there():
            raise NobodyListens(f"{self.url}: connection refused, nothing listens there")
        if self._down and time.monotonic() - self._down[0] < DOWN_MAX_AGE_S:
            raise self._down[1]
        try:
            return question(self.client(PLAN_TIMEOUT_S))
        except Unreachable as error:
            _LOG.info("%s does not answer: asked again in %g s", self.url, DOWN_MAX_AGE_S)
            self._down = (time.monotonic(), error)
            raise


def _nothing_known() -> Credentials | None:
    return None


def _may_listen(url: str) -> bool:
    parts = urlsplit(url)
    if parts.hostname not in _THIS_MACHINE:
        return True
    try:
        socket.create_connection((parts.hostname, parts.port or _DEFAULT_PORT), _PROBE_TIMEOUT_S).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True
