"""One NATS connection for a whole process: requests with a timeout, from any thread.

This module, ``nats_client`` and ``transfer`` are the only ones that know the nats package.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Final

from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from provisioner.errors import JetStreamOff, LoginRefused, NobodyListens, ProvisionerError, Refused, Unreachable
from provisioner.jetstream import address, tls
from provisioner.jetstream.event_loop import end, event_loop, run, start
from provisioner.jetstream.nats_client import GuardedClient, login
from provisioner.jetstream.target import INBOX_PREFIX, Credentials, Headers
from provisioner.jetstream.timeouts import FIRST_CONTACT_TIMEOUT_S, LONGEST_REQUEST_TIMEOUT_S, REQUEST_TIMEOUT_S
from provisioner.jetstream.transfer import Transfer
from provisioner.log import redacted

_HANDSHAKE_TIMEOUT_S: Final = 2
_RECONNECT_PAUSE_S: Final = 0.1
_CHECK: Final = "check user, password, token, credentials or nkey"
_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")
# Of a host with several addresses some may not exist on this machine, like IPv6's.
_NO_SUCH_ADDRESS: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

_REFUSED_LATER: Final = "the server no longer accepts the login"

_LOG: Final = logging.getLogger(__name__)


class Connection:
    """A connection that is there when the constructor returns, and comes back when it breaks.

    Raises:
        Unreachable: no answer within ``timeout`` seconds; of several servers each has time to be tried.
        LoginRefused: the server does not accept the credentials.
    """

    def __init__(self, url: str, credentials: Credentials, timeout: float = FIRST_CONTACT_TIMEOUT_S) -> None:
        self.url = redacted(address.servers(url))
        self._client = GuardedClient(demands_tls=tls.is_wanted(address.servers(url), credentials))
        self._refusal: asyncio.Future[str] = event_loop().create_future()
        self._last_error = self._tls_problem = ""
        self._count = len(self.url.split(","))
        self._attempts_refused: list[bool] = []
        self._places, self._tls_refused = address.places(address.servers(url)), set[str]()
        self._denials: dict[str, asyncio.Future[str]] = {}
        self._inbox_prefix = credentials.inbox_prefix or INBOX_PREFIX
        self._transfers: set[Transfer] = set()
        self._disconnections = 0
        several = max(timeout, _HANDSHAKE_TIMEOUT_S * self._count) if self._count > 1 else timeout
        run(self._connect(address.servers(url), credentials, several), several)
        _LOG.info("%s: connected, nats-server %d.%d.%d", self.url, *self.server_version)

    @property
    def inbox_prefix(self) -> str:
        """What the subjects begin with that answers come to."""
        return self._inbox_prefix

    @property
    def server_version(self) -> tuple[int, int, int]:
        """The version in the server's greeting."""
        version = self._client.connected_server_version
        return (version.major, version.minor, version.patch)

    @property
    def server_start(self) -> str:
        """Tells one start of a server from another."""
        return str(self._client._server_info.get("server_id"))  # noqa: SLF001 - nats.py has no public way

    @property
    def is_encrypted(self) -> bool:
        """Whether the server that it is connected to speaks TLS."""
        return bool(self._client._server_info.get("tls_required"))  # noqa: SLF001 - nats.py has no public way

    @property
    def cluster(self) -> str | None:
        """The cluster that the server names; empty for a single one, None where it may be its own name."""
        info = self._client._server_info  # noqa: SLF001 - nats.py has no public way
        name = str(info.get("cluster") or "")
        return None if name and name == info.get("server_name") else name

    @property
    def domain(self) -> str:
        """The JetStream domain of the server that this is connected to; empty if it has none."""
        return str(self._client._server_info.get("domain") or "")  # noqa: SLF001 - nats.py has no public way

    def permitted(self, subject: str) -> str:
        """What a user has to be permitted in order to publish to a subject.

        A server with a domain of its own maps the domain's subjects, and looks at permissions afterwards.
        """
        own = f"{address.domain_api(self.domain)}." if self.domain else ""
        if not own or not subject.startswith(own):
            return subject
        rest = subject.removeprefix(own)
        return rest if rest.startswith("$") else f"{address.DEFAULT_API}.{rest}"

    @property
    def max_payload(self) -> int:
        """Bytes of the largest message that the server takes."""
        return int(self._client.max_payload)

    def request(
        self, subject: str, body: bytes = b"", timeout: float = REQUEST_TIMEOUT_S, headers: Headers = None
    ) -> bytes:
        """Send one request and return its answer.

        Raises:
            Unreachable: no answer within ``timeout`` seconds.
            Refused: the server denies the subject, or nobody serves it, or it does not let this login in any more.
        """
        began, outcome = time.perf_counter(), "interrupted"
        try:
            answer = run(self._request(subject, body, timeout, headers), timeout)
            outcome = f"{len(answer)} bytes"
        except ProvisionerError as error:
            outcome = type(error).__name__
            raise
        finally:
            _LOG.debug("%s: %s in %.1f ms", subject, outcome, 1000 * (time.perf_counter() - began))
        return answer

    def long_request(self, subject: str, body: bytes, is_at_work: Callable[[], bool]) -> bytes:
        """Send one request whose answer may take long.

        Args:
            subject: where to.
            body: the request.
            is_at_work: asked every REQUEST_TIMEOUT_S seconds whether there is evidence that the server is at it.

        Raises:
            Unreachable: no answer, and no evidence.
            Refused: the server denies the subject, or nobody serves it.
        """
        disconnections = self._disconnections
        answer = start(self._request(subject, body, 2 * LONGEST_REQUEST_TIMEOUT_S))
        try:
            while not futures.wait([answer], REQUEST_TIMEOUT_S).done:
                if self._disconnections > disconnections:
                    raise Unreachable(f"{self.url}: the connection was lost before the answer to {subject}")
                if not is_at_work():
                    raise self._unanswered(subject, REQUEST_TIMEOUT_S)
            return answer.result()
        finally:
            answer.cancel()

    def publish(self, subject: str) -> None:
        """Publish an empty message; without a connection, once there is one again."""
        run(self._client.publish(subject), REQUEST_TIMEOUT_S)

    @contextmanager
    def transfer(self) -> Iterator[Transfer]:
        """Many messages to and fro that belong together; it ends with the connection it began on."""
        transfer = Transfer(self.url, self._client, self._denials)
        run(transfer.open(), REQUEST_TIMEOUT_S)
        self._transfers.add(transfer)
        try:
            yield transfer
        finally:
            self._transfers.discard(transfer)
            run(transfer.close(), REQUEST_TIMEOUT_S)

    def close(self) -> None:
        """Close. Idempotent."""
        run(self._close(), REQUEST_TIMEOUT_S)

    async def _connect(self, urls: str, credentials: Credentials, timeout: float) -> None:
        connecting = asyncio.ensure_future(
            self._client.connect(
                urls.split(","),
                **login(urls, credentials),
                name="jetstream provisioner",
                connect_timeout=_HANDSHAKE_TIMEOUT_S,
                reconnect_time_wait=_RECONNECT_PAUSE_S,  # type: ignore[arg-type] # it is passed to asyncio.sleep
                max_reconnect_attempts=-1,
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnect,
                reconnected_cb=self._on_reconnect,
                closed_cb=self._on_closed,
            )
        )
        await asyncio.wait((connecting, self._refusal), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        await end([connecting])
        if problem := self._connect_problem(connecting, timeout):
            _LOG.info("%s: not connected: %s", self.url, type(problem).__name__)
            await self._close()
            raise problem

    def _connect_problem(self, connecting: asyncio.Future[None], timeout: float) -> ProvisionerError | None:
        if self._refusal.done():
            return LoginRefused(f"{self.url}: {self._refusal.result()}")
        if self._tls_problem and not self._client.is_connected:
            return LoginRefused(f"{self.url}: {self._tls_problem}")
        if not connecting.done() or connecting.cancelled():
            return self._no_answer(f"{self.url}: no NATS server answers within {timeout:g} s")
        if cause := connecting.exception():
            return Unreachable(f"{self.url}: cannot connect: {str(cause) or type(cause).__name__}")
        return None

    def _no_answer(self, text: str) -> Unreachable:
        if len(self._attempts_refused) >= self._count and all(self._attempts_refused):
            return NobodyListens(f"{text}: connection refused, nothing listens there")
        return Unreachable(f"{text}{self._last_error}")

    async def _close(self) -> None:
        try:
            await self._client.close()
        except (OSError, NatsError, asyncio.CancelledError):
            # nats.py flushes first, and leaves its subscriptions' tasks behind when that fails on a cut connection;
            # the cancellation is that of its own reconnection, which it awaits.
            for subscription in self._client._subs.values():  # noqa: SLF001 - nats.py has no public way
                subscription._stop_processing()  # noqa: SLF001

    async def _on_disconnect(self) -> None:
        _LOG.info("%s: disconnected", self.url)
        self._disconnections += 1
        for transfer in self._transfers:
            transfer.lose()

    async def _on_reconnect(self) -> None:
        self._tls_problem = ""
        self._tls_refused.clear()
        _LOG.info("%s: connected again", self.url)

    async def _on_closed(self) -> None:
        """A client that lets nobody end it but a server that refuses its login, as after a change of the users."""
        text = str(self._client.last_error or "").removeprefix("nats: ")
        self._refuse(f"{text if 'auth' in text.lower() else _REFUSED_LATER}; {_CHECK}")

    async def _on_error(self, error: Exception) -> None:
        """Denials come as errors of the connection, never as an answer to the request."""
        text = str(error).removeprefix("nats: ")
        self._last_error = f" ({text})" if text else ""
        self._attempts_refused.append(_is_refusal(text))
        if "authorization" in text.lower():
            self._refuse(f"{text.strip(chr(39))}; {_CHECK}")
        if problem := tls.problem(error) or (text == tls.NO_TLS and text):
            self._last_error, self._tls_problem = f": {problem}", problem
            if tried := self._client._current_server:  # noqa: SLF001 - nats.py has no public way
                self._tls_refused.add(tried.uri.netloc)
            if len(self._places) == 1 or self._tls_refused >= self._places:  # of several, another may do
                self._refuse(problem)
        if "permissions violation" in text.lower():
            self._deny(text.lower())

    def _refuse(self, why: str) -> None:
        if not self._refusal.done():
            self._refusal.set_result(why)

    def _deny(self, text: str) -> None:
        """Tell each request that a permissions violation is about; nats.py hands the text over in lower case."""
        inbox = self._inbox_prefix
        for asked, denial in self._denials.items():
            subject = self.permitted(asked)
            actions = {f'"{subject.lower()}"': f"publish to {subject}", f'"{inbox.lower()}.': f"subscribe to {inbox}.>"}
            denied = [action for pattern, action in actions.items() if pattern in text]
            if denied and not denial.done():
                denial.set_result(f"this user may not {denied[0]}")

    async def _request(self, subject: str, body: bytes, timeout: float, headers: Headers = None) -> bytes:
        denial = self._denials.setdefault(subject, asyncio.get_running_loop().create_future())
        answer = asyncio.ensure_future(self._client.request(subject, body, timeout=timeout, headers=headers))
        try:
            refusal = self._current_refusal()
            await asyncio.wait((answer, denial, refusal), return_when=asyncio.FIRST_COMPLETED)
            if denial.done():
                raise Refused(f"{self.url}: {denial.result()}; give it the permission")
            if refusal.done() and not (answer.done() and answer.exception() is None):
                raise LoginRefused(f"{self.url}: {refusal.result()}")
            return bytes(answer.result().data)
        except NoRespondersError as cause:
            raise JetStreamOff(f"{self.url}: {_nobody(subject)}") from cause
        except (NatsError, TimeoutError) as cause:
            raise self._unanswered(subject, timeout) from cause
        finally:
            self._denials.pop(subject, None)
            await end([answer])

    def _current_refusal(self) -> asyncio.Future[str]:
        """What tells that the server lets this login in no more; one that has been let in again is past the last."""
        if self._refusal.done() and self._client.is_connected:
            self._tls_problem, self._refusal = "", event_loop().create_future()
        return self._refusal

    def _unanswered(self, subject: str, timeout: float) -> Unreachable:
        return Unreachable(f"{self.url}: no answer to {subject} within {timeout:g} s; {self._likely()}")

    def _likely(self) -> str:
        """What a missing answer probably means."""
        if self._client.is_connected:
            return (
                "the server answers but its JetStream does not: a cluster without a leader, a full disk, "
                "an overloaded server, or a user that is denied the subject"
            )
        return self._tls_problem or "the server is down or overloaded"


def _nobody(subject: str) -> str:
    """What it means that nobody serves a subject."""
    if subject.startswith(f"{address.DEFAULT_API}."):
        return "JetStream is off on this server or for this account"
    return f"nobody answers on {subject}; check domain or apiPrefix, and whether that server is connected"


def _is_refusal(text: str) -> bool:
    return {int(code) for code in _ERRNO.findall(text)} - _NO_SUCH_ADDRESS == {errno.ECONNREFUSED}
