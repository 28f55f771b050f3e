"""Many messages that belong together: snapshots and restores."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner.errors import ProvisionerError, Refused, Unreachable
from provisioner.jetstream.event_loop import end, event_loop, run
from provisioner.jetstream.timeouts import REQUEST_TIMEOUT_S

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg


@dataclass(frozen=True)
class Part:
    """One message of a transfer; ``status`` is what a message without data may say instead."""

    data: bytes
    reply: str
    status: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Transfer:
    """An inbox of its own, and whatever is sent with it as the place to answer to."""

    def __init__(self, url: str, client: Client, denials: dict[str, asyncio.Future[str]]) -> None:
        self.inbox = client.new_inbox()
        self._url, self._client, self._denials = url, client, denials
        self._parts: asyncio.Queue[Msg] = asyncio.Queue()
        self._ended: asyncio.Future[str] = event_loop().create_future()
        self._subject = self.inbox
        self._lost = False

    def send(self, subject: str, body: bytes = b"") -> None:
        """Publish, to be answered in the inbox."""
        run(self._publish(subject, body, self.inbox), REQUEST_TIMEOUT_S)

    def acknowledge(self, part: Part) -> None:
        """Confirm that a part has arrived, if its sender asks for that."""
        if part.reply:
            run(self._publish(part.reply, b"", ""), REQUEST_TIMEOUT_S)

    def receive(self, timeout: float) -> Part:
        """The next message in the inbox.

        Raises:
            Unreachable: none within ``timeout`` seconds, or the connection was lost meanwhile.
            Refused: this user lacks a permission.
        """
        return run(self._receive(timeout), timeout)

    async def open(self) -> None:
        """Subscribe to the inbox."""
        self._subscription = await self._client.subscribe(self.inbox, cb=self._parts.put)

    async def close(self) -> None:
        """Unsubscribe."""
        self._denials.pop(self._subject, None)
        if not self._client.is_closed:
            await self._subscription.unsubscribe()

    def lose(self) -> None:
        """End it: the connection broke, and what was on its way is lost even if the client reconnects."""
        self._lost = True
        if not self._ended.done():
            self._ended.set_result("the connection was lost")

    async def _publish(self, subject: str, body: bytes, reply: str) -> None:
        self._denials.pop(self._subject, None)
        self._subject, self._denials[subject] = subject, self._ended
        if not self._ended.done():
            await self._client.publish(subject, body, reply=reply)

    async def _receive(self, timeout: float) -> Part:
        part = asyncio.ensure_future(self._parts.get())
        await asyncio.wait((part, self._ended), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        # What comes after a reconnection is a later part: the reason for the gap is the connection.
        if self._lost or not part.done():
            await end([part])
            raise self._reason(timeout)
        message = part.result()
        headers = message.headers or {}
        status = f"{headers.get('Status', '')} {headers.get('Description', '')}".strip()
        return Part(bytes(message.data), message.reply, status, headers)

    def _reason(self, timeout: float) -> ProvisionerError:
        if not self._ended.done():
            return Unreachable(f"{self._url}: nothing arrived for {timeout:g} s; the server is down or overloaded")
        return (Unreachable if self._lost else Refused)(f"{self._url}: {self._ended.result()}")
