"""A plain nats-py client for tests: what somebody does behind the program's back, and what really is there."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeVar

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import FlushTimeoutError

T = TypeVar("T")

_REQUEST_TIMEOUT_S = 10.0
_CANCEL_PAUSE_S = 0.1
_LOOP_TIMEOUT_S = 6 * _REQUEST_TIMEOUT_S  # so that a request's own error comes first


class RequestError(Exception):
    """The server's answer to a request is an error.

    Attributes:
        code: JetStream's err_code.
    """

    def __init__(self, subject: str, error: dict[str, Any]) -> None:
        super().__init__(f"{subject}: {error.get('description')} ({error.get('err_code')})")
        self.code = error.get("err_code")


class RawClient:
    """One connection of nats-py on a loop of its own, for tests that are not asynchronous.

    Args:
        url: the server's.
        login: nats-py's `user`, `password` and `tls`.
    """

    def __init__(self, url: str, **login: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="raw nats")
        self._thread.start()
        try:
            self._client = self._wait(
                nats.connect(url.split(","), connect_timeout=2, max_reconnect_attempts=-1, **login)
            )
        except BaseException:
            self._stop()
            raise

    def close(self) -> None:
        """Close the connection and its loop. Idempotent."""
        if self._thread.is_alive():
            try:
                self._wait(close(self._client))
            finally:
                self._stop()

    def request(
        self,
        subject: str,
        payload: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout: float = _REQUEST_TIMEOUT_S,
    ) -> bytes:
        """The answer to a request."""
        return bytes(self._wait(self._client.request(subject, payload, timeout, headers=headers)).data)

    def send(self, subject: str, body: object) -> None:
        """Send a request whose answer nobody waits for."""
        self._wait(self._client.publish(subject, json.dumps(body).encode()))

    def publish(self, subject: str, payload: bytes = b"payload", headers: dict[str, str] | None = None) -> str:
        """Store a message; the stream that acknowledged it."""
        return str(_checked(subject, self.request(subject, payload, headers))["stream"])

    def ask(self, what: str, body: object = None) -> dict[str, Any]:
        """An answer of JetStream's API.

        Raises:
            RequestError: the answer is an error.
        """
        payload = b"" if body is None else json.dumps(body).encode()
        return _checked(what, self.request(f"$JS.API.{what}", payload))

    def stream_names(self) -> list[str]:
        """The streams that are there."""
        return sorted(self.ask("STREAM.NAMES")["streams"] or [])

    def info(self, stream: str) -> dict[str, Any]:
        """A stream's configuration and state, in the server's own words."""
        return self.ask(f"STREAM.INFO.{stream}")

    def message(self, stream: str, sequence: int) -> dict[str, Any]:
        """A stored message; its payload decoded."""
        message: dict[str, Any] = self.ask(f"STREAM.MSG.GET.{stream}", {"seq": sequence})["message"]
        return {**message, "data": base64.b64decode(message.get("data", ""))}

    def messages(self, stream: str) -> list[dict[str, Any]]:
        """Every stored message as the server has it, in order."""
        messages: list[dict[str, Any]] = []
        for _ in range(self.info(stream)["state"]["messages"]):
            after = messages[-1]["seq"] + 1 if messages else 1
            request = {"seq": after, "next_by_subj": ">"}
            messages.append(self.ask(f"STREAM.MSG.GET.{stream}", request)["message"])
        return messages

    def numbers(self, stream: str) -> set[int]:
        """The payloads of a stream's messages, each of which is a number; read by a consumer, as they are many.

        A work queue lets no consumer read that does not acknowledge.
        """
        info = self.info(stream)
        if not info["state"]["messages"]:
            return set()
        if info["config"]["retention"] == "workqueue":
            return {int(base64.b64decode(message["data"])) for message in self.messages(stream)}
        return self._wait(_numbers(self._client, stream))

    def delete_messages(self, stream: str, *sequences: int) -> None:
        """Leave gaps."""
        for sequence in sequences:
            self.ask(f"STREAM.MSG.DELETE.{stream}", {"seq": sequence})

    def add_consumer(self, stream: str, name: str, **fields: Any) -> None:
        """Make a durable consumer."""
        config = {"durable_name": name, "name": name, "ack_policy": "explicit", **fields}
        self.ask(f"CONSUMER.CREATE.{stream}.{name}", {"stream_name": stream, "config": config})

    def consumers(self, stream: str) -> list[dict[str, Any]]:
        """Every consumer's configuration and position, in the server's own words."""
        consumers: list[dict[str, Any]] = self.ask(f"CONSUMER.LIST.{stream}")["consumers"] or []
        return consumers

    @contextmanager
    def answering(self, subject: str, payload: bytes) -> Iterator[None]:
        """Answer every request that matches with the same bytes."""

        async def answer(message: Msg) -> None:
            await message.respond(payload)

        subscription = self._wait(self._client.subscribe(subject, cb=answer))
        self._wait(self._client.flush())
        yield
        self._wait(self._settled(subscription))

    @contextmanager
    def recorded(self, subject: str) -> Iterator[list[str]]:
        """The subjects of all requests that match, in order; complete once the block is left."""
        subjects: list[str] = []

        async def note(message: Msg) -> None:
            subjects.append(message.subject)

        subscription = self._wait(self._client.subscribe(subject, cb=note))
        self._wait(self._client.flush())
        yield subjects
        self._wait(self._settled(subscription))

    async def _settled(self, subscription: Subscription) -> None:
        """The server has sent what it got until now, and this client has handled it; a dead one sends no more."""
        if not self._client.is_connected:
            return
        with suppress(FlushTimeoutError):  # nor does one that hangs
            await self._client.flush()
            await subscription.drain()  # type: ignore[no-untyped-call] # nats.py does not say that it returns nothing

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_LOOP_TIMEOUT_S)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LOOP_TIMEOUT_S)
        self._loop.close()


@contextmanager
def raw_client(url: str, **login: Any) -> Iterator[RawClient]:
    """A connected client, closed in the end."""
    with closing(RawClient(url, **login)) as client:
        yield client


async def close(client: Client) -> None:
    """Close a connection, and end every other task of this loop.

    A task is cancelled again and again: nats.py's reconnection to a server that is down swallows a cancellation.
    """
    with suppress(OSError):  # it flushes to a server that may be gone
        await client.close()
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=_CANCEL_PAUSE_S)


async def _numbers(client: Client, stream: str) -> set[int]:
    subscription = await client.jetstream().subscribe("", stream=stream, ordered_consumer=True)
    numbers, pending = set(), 1
    while pending:
        message = await subscription.next_msg(timeout=_REQUEST_TIMEOUT_S)
        numbers.add(int(message.data))
        pending = message.metadata.num_pending
    await subscription.unsubscribe()
    return numbers


def _checked(subject: str, answer: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer)
    if "error" in body:
        raise RequestError(subject, body["error"])
    return body
