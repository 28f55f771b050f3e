"""One NATS connection for a whole process: requests with deadlines, from any thread.

The only module that knows the nats package. Its event loop runs in a daemon thread of its own,
since Pulumi calls a provider from several threads at once.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from nats.aio.client import Client, RawCredentials
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from provisioner.errors import JetStreamOff, Refused, Unreachable

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

    def request(self, subject: str, body: bytes = b"") -> bytes:
        """One request and its answer.

        Raises:
            Unreachable: no answer within REQUEST seconds.
            Refused: the server denies the subject, or nobody serves it.
        """
        return _run(self._request(subject, body), REQUEST + _GRACE)

    def close(self) -> None:
        """Hang up; a second time does nothing."""
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

    async def _request(self, subject: str, body: bytes) -> bytes:
        denial = self._waiting.setdefault(subject, asyncio.get_running_loop().create_future())
        answer = asyncio.ensure_future(self._client.request(subject, body, timeout=REQUEST))
        try:
            await asyncio.wait((answer, denial), return_when=asyncio.FIRST_COMPLETED)
            if denial.done():
                raise Refused(f"{self.url}: {denial.result()}; give it the permission")
            return bytes(answer.result().data)
        except NoRespondersError as cause:
            raise JetStreamOff(f"{self.url}: JetStream is off on this server or for this account") from cause
        except (NatsError, TimeoutError) as cause:
            raise Unreachable(
                f"{self.url}: no answer to {subject} within {REQUEST:g} s; "
                "the server is down or overloaded, or denies this user the subject"
            ) from cause
        finally:
            answer.cancel()
            self._waiting.pop(subject, None)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="nats", daemon=True).start()
    return loop


def _run(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Run on the connection's loop, with a last deadline that even a stuck loop cannot outlast."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(seconds)
