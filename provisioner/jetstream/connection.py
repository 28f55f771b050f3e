"""One NATS connection for a whole process: requests with a timeout, from any thread.

This module and ``transfer`` are the only ones that know the nats package.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from nats.aio.client import Client, RawCredentials
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from provisioner.errors import JetStreamOff, Refused, Unreachable
from provisioner.jetstream.event_loop import run
from provisioner.jetstream.target import Credentials
from provisioner.jetstream.timeouts import FIRST_CONTACT_TIMEOUT_S, REQUEST_TIMEOUT_S
from provisioner.jetstream.transfer import Transfer

_HANDSHAKE_TIMEOUT_S: Final = 2
_RECONNECT_PAUSE_S: Final = 0.1


class Connection:
    """A connection that is there when the constructor returns, and comes back when it breaks.

    Raises:
        Unreachable: nobody answered within ``timeout`` seconds.
        Refused: the server does not accept the credentials.
    """

    def __init__(self, url: str, credentials: Credentials, timeout: float = FIRST_CONTACT_TIMEOUT_S) -> None:
        self.url = url
        self._client = Client()
        self._refusal: asyncio.Future[str] | None = None
        self._last_words = ""
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._transfers: set[Transfer] = set()
        run(self._connect(credentials, timeout), timeout)

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

    def request(self, subject: str, body: bytes = b"", timeout: float = REQUEST_TIMEOUT_S) -> bytes:
        """One request and its answer.

        Raises:
            Unreachable: no answer within ``timeout`` seconds.
            Refused: the server denies the subject, or nobody serves it.
        """
        return run(self._request(subject, body, timeout), timeout)

    def tell(self, subject: str) -> None:
        """Publish an empty message that nobody answers; after a reconnection, if there is none now."""
        run(self._client.publish(subject), REQUEST_TIMEOUT_S)

    @contextmanager
    def transfer(self) -> Iterator[Transfer]:
        """Many messages to and fro that belong together; it ends with the connection it began on."""
        transfer = Transfer(self.url, self._client, self._waiting)
        run(transfer.open(), REQUEST_TIMEOUT_S)
        self._transfers.add(transfer)
        try:
            yield transfer
        finally:
            self._transfers.discard(transfer)
            run(transfer.close(), REQUEST_TIMEOUT_S)

    def close(self) -> None:
        """Hang up; a second time does nothing, nor when the other side has done it."""
        with suppress(OSError):
            run(self._client.close(), REQUEST_TIMEOUT_S)

    async def _connect(self, credentials: Credentials, timeout: float) -> None:
        self._refusal = asyncio.get_running_loop().create_future()
        connecting = asyncio.ensure_future(
            self._client.connect(
                self.url.split(","),
                **_login(credentials),
                tls=ssl.create_default_context() if self.url.startswith("tls:") else None,
                name="jetstream provisioner",
                connect_timeout=_HANDSHAKE_TIMEOUT_S,
                reconnect_time_wait=_RECONNECT_PAUSE_S,  # type: ignore[arg-type] # it is passed to asyncio.sleep
                max_reconnect_attempts=-1,
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnect,
            )
        )
        await asyncio.wait((connecting, self._refusal), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        connecting.cancel()
        if self._refusal.done():
            raise Refused(f"{self.url}: {self._refusal.result()}; check user, password, token or credentials")
        await self._raise_unless_connected(connecting, timeout)

    async def _raise_unless_connected(self, connecting: asyncio.Future[None], timeout: float) -> None:
        cause = (await asyncio.gather(connecting, return_exceptions=True))[0]
        if isinstance(cause, asyncio.CancelledError):
            raise Unreachable(f"{self.url}: no NATS server answers within {timeout:g} s{self._last_words}")
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

    async def _request(self, subject: str, body: bytes, timeout: float) -> bytes:
        denial = self._waiting.setdefault(subject, asyncio.get_running_loop().create_future())
        answer = asyncio.ensure_future(self._client.request(subject, body, timeout=timeout))
        try:
            await asyncio.wait((answer, denial), return_when=asyncio.FIRST_COMPLETED)
            if denial.done():
                raise Refused(f"{self.url}: {denial.result()}; give it the permission")
            return bytes(answer.result().data)
        except NoRespondersError as cause:
            raise JetStreamOff(f"{self.url}: JetStream is off on this server or for this account") from cause
        except (NatsError, TimeoutError) as cause:
            raise Unreachable(
                f"{self.url}: no answer to {subject} within {timeout:g} s; "
                "the server is down or overloaded, or denies this user the subject"
            ) from cause
        finally:
            answer.cancel()
            self._waiting.pop(subject, None)


def _login(credentials: Credentials) -> dict[str, Any]:
    """The arguments that nats.py's connect wants.

    Raises:
        Refused: there is no such .creds file.
    """
    options = {
        "user": credentials.user,
        "password": credentials.password,
        "token": credentials.token,
        "user_credentials": _creds(credentials.credentials),
    }
    return {name: value for name, value in options.items() if value}


def _creds(credentials: str | None) -> str | RawCredentials | None:
    if not credentials:
        return None
    if "-----BEGIN" in credentials:
        return RawCredentials(credentials)
    if not Path(credentials).is_file():
        raise Refused(f"credentials: there is no file {credentials}; give a .creds file's path or its text")
    return credentials
