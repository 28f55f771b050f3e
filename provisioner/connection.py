"""One NATS connection for a whole process: requests with deadlines, from any thread.

The only module that knows the nats package. Its event loop runs in a daemon thread of its own,
since Pulumi calls a provider from several threads at once.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from nats.aio.client import Client, RawCredentials
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from provisioner.errors import JetStreamOff, ProvisionerError, Refused, Unreachable

T = TypeVar("T")

# Seconds. A first contact outlasts a server that is just starting; no single wait exceeds REQUEST.
FIRST_CONTACT: Final = float(os.environ.get("STREAMS_CONNECT_TIMEOUT", "10"))
REQUEST: Final = float(os.environ.get("STREAMS_REQUEST_TIMEOUT", "5"))
_HANDSHAKE: Final = 2
_PAUSE: Final = 0.1
_GRACE: Final = 1.0


@dataclass(frozen=True)
class Credentials:
    """How to log in; none of it is ever shown. ``credentials`` is a .creds file or its text."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    credentials: str | None = field(default=None, repr=False)

    def options(self) -> dict[str, Any]:
        """The arguments nats.connect wants.

        Raises:
            Refused: there is no such .creds file.
        """
        given = {"user": self.user, "password": self.password, "token": self.token, "user_credentials": self._creds()}
        return {name: value for name, value in given.items() if value}

    def _creds(self) -> str | RawCredentials | None:
        if not self.credentials:
            return None
        if "-----BEGIN" in self.credentials:
            return RawCredentials(self.credentials)
        if not Path(self.credentials).is_file():
            raise Refused(f"credentials: there is no file {self.credentials}; give a .creds file's path or its text")
        return self.credentials


class Connection:
    """A connection that is there when the constructor returns, and comes back when it breaks.

    Raises:
        Unreachable: nobody answered within ``patience`` seconds.
        Refused: the server does not accept the credentials.
    """

    def __init__(self, url: str, credentials: Credentials, patience: float = FIRST_CONTACT) -> None:
        self.url = url
        self._client = Client()
        self._refusal: asyncio.Future[str] | None = None
        self._last_words = ""
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._transfers: set[Transfer] = set()
        _run(self._connect(credentials, patience), patience + _GRACE)

    @property
    def server_version(self) -> tuple[int, int, int]:
        """The version in the server's greeting."""
        version = self._client.connected_server_version
        return (version.major, version.minor, version.patch)

    @property
    def clustered(self) -> bool:
        """Whether the server says that it is part of a cluster."""
        return bool(self._client._server_info.get("cluster"))  # noqa: SLF001 - nats.py has no public way

    @property
    def max_payload(self) -> int:
        """Bytes of the largest message that the server takes."""
        return int(self._client.max_payload)

    def request(self, subject: str, body: bytes = b"", patience: float = REQUEST) -> bytes:
        """One request and its answer.

        Raises:
            Unreachable: no answer within ``patience`` seconds.
            Refused: the server denies the subject, or nobody serves it.
        """
        return _run(self._request(subject, body, patience), patience + _GRACE)

    def tell(self, subject: str) -> None:
        """Publish an empty message that nobody answers; after a reconnection, if there is none now."""
        _run(self._client.publish(subject), REQUEST + _GRACE)

    @contextmanager
    def transfer(self) -> Iterator[Transfer]:
        """Many messages to and fro that belong together; it ends with the connection it began on."""
        transfer = Transfer(self.url, self._client, self._waiting)
        _run(transfer.open(), REQUEST + _GRACE)
        self._transfers.add(transfer)
        try:
            yield transfer
        finally:
            self._transfers.discard(transfer)
            _run(transfer.close(), REQUEST + _GRACE)

    def close(self) -> None:
        """Hang up; a second time does nothing, nor when the other side has done it."""
        with suppress(OSError):
            _run(self._client.close(), REQUEST)

    async def _connect(self, credentials: Credentials, patience: float) -> None:
        self._refusal = asyncio.get_running_loop().create_future()
        connecting = asyncio.ensure_future(
            self._client.connect(
                self.url.split(","),
                **credentials.options(),
                tls=ssl.create_default_context() if self.url.startswith("tls:") else None,
                name="jetstream provisioner",
                connect_timeout=_HANDSHAKE,
                reconnect_time_wait=_PAUSE,  # type: ignore[arg-type] # it is passed to asyncio.sleep
                max_reconnect_attempts=-1,
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnect,
            )
        )
        await asyncio.wait((connecting, self._refusal), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        connecting.cancel()
        if self._refusal.done():
            raise Refused(f"{self.url}: {self._refusal.result()}; check user, password, token or credentials")
        await self._raise_unless_connected(connecting, patience)

    async def _raise_unless_connected(self, connecting: asyncio.Future[None], patience: float) -> None:
        cause = (await asyncio.gather(connecting, return_exceptions=True))[0]
        if isinstance(cause, asyncio.CancelledError):
            raise Unreachable(f"{self.url}: no NATS server answers within {patience:g} s{self._last_words}")
        if cause is not None:
            raise Unreachable(f"{self.url}: cannot connect: {str(cause) or type(cause).__name__}") from cause

    async def _on_disconnect(self) -> None:
        for transfer in self._transfers:
            transfer.lose()

    async def _on_error(self, error: Exception) -> None:
        """Denials come as errors of the connection, never as an answer to the request."""
        words = str(error).removeprefix("nats: ")
        self._last_words = f" ({words})" if words else ""
        if "authorization" in words.lower() and self._refusal and not self._refusal.done():
            self._refusal.set_result(words.strip("'"))
        if "permissions violation" in words.lower():
            self._deny(words.lower())

    def _deny(self, words: str) -> None:
        """nats.py hands the server's words over in lower case."""
        for subject, denial in self._waiting.items():
            wanted = {f'"{subject.lower()}"': f"publish to {subject}", '"_inbox.': "subscribe to _INBOX.>"}
            denied = [what for words_of_it, what in wanted.items() if words_of_it in words]
            if denied and not denial.done():
                denial.set_result(f"this user may not {denied[0]}")

    async def _request(self, subject: str, body: bytes, patience: float) -> bytes:
        denial = self._waiting.setdefault(subject, asyncio.get_running_loop().create_future())
        answer = asyncio.ensure_future(self._client.request(subject, body, timeout=patience))
        try:
            await asyncio.wait((answer, denial), return_when=asyncio.FIRST_COMPLETED)
            if denial.done():
                raise Refused(f"{self.url}: {denial.result()}; give it the permission")
            return bytes(answer.result().data)
        except NoRespondersError as cause:
            raise JetStreamOff(f"{self.url}: JetStream is off on this server or for this account") from cause
        except (NatsError, TimeoutError) as cause:
            raise Unreachable(
                f"{self.url}: no answer to {subject} within {patience:g} s; "
                "the server is down or overloaded, or denies this user the subject"
            ) from cause
        finally:
            answer.cancel()
            self._waiting.pop(subject, None)


@dataclass(frozen=True)
class Part:
    """One message of a transfer; ``status`` is what a message without data may say instead."""

    data: bytes
    reply: str
    status: str


class Transfer:
    """An inbox of its own, and whatever is sent with it as the place to answer to."""

    def __init__(self, url: str, client: Client, waiting: dict[str, asyncio.Future[str]]) -> None:
        self.inbox = client.new_inbox()
        self._url, self._client, self._waiting = url, client, waiting
        self._parts: asyncio.Queue[Msg] = asyncio.Queue()
        self._ended: asyncio.Future[str] = _loop().create_future()
        self._subject = self.inbox
        self._lost = False

    def send(self, subject: str, body: bytes = b"") -> None:
        """Publish, to be answered in the inbox."""
        _run(self._publish(subject, body, self.inbox), REQUEST + _GRACE)

    def acknowledge(self, part: Part) -> None:
        """Say that a part has arrived, if its sender wants to know."""
        if part.reply:
            _run(self._publish(part.reply, b"", ""), REQUEST + _GRACE)

    def receive(self, patience: float) -> Part:
        """The next message in the inbox.

        Raises:
            Unreachable: none within ``patience`` seconds, or the connection was lost meanwhile.
            Refused: this user may not go on.
        """
        return _run(self._receive(patience), patience + _GRACE)

    async def open(self) -> None:
        """Begin to listen."""
        self._subscription = await self._client.subscribe(self.inbox, cb=self._parts.put)

    async def close(self) -> None:
        """Listen no more."""
        self._waiting.pop(self._subject, None)
        if not self._client.is_closed:
            await self._subscription.unsubscribe()

    def lose(self) -> None:
        """The connection broke: what was on its way is gone, even if the client comes back."""
        self._lost = True
        if not self._ended.done():
            self._ended.set_result("the connection was lost")

    async def _publish(self, subject: str, body: bytes, reply: str) -> None:
        self._waiting.pop(self._subject, None)
        self._subject, self._waiting[subject] = subject, self._ended
        if not self._ended.done():
            await self._client.publish(subject, body, reply=reply)

    async def _receive(self, patience: float) -> Part:
        part = asyncio.ensure_future(self._parts.get())
        await asyncio.wait((part, self._ended), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if not part.done():
            part.cancel()
            raise self._reason(patience)
        message = part.result()
        words = (message.headers or {}).get
        return Part(bytes(message.data), message.reply, f"{words('Status', '')} {words('Description', '')}".strip())

    def _reason(self, patience: float) -> ProvisionerError:
        if not self._ended.done():
            return Unreachable(f"{self._url}: nothing came for {patience:g} s; the server is down or overloaded")
        return (Unreachable if self._lost else Refused)(f"{self._url}: {self._ended.result()}")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="nats", daemon=True).start()
    return loop


def _run(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Run on the connection's loop, with a last deadline that even a stuck loop cannot outlast."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(seconds)
