"""What the services have in common: the login, the stack's consumers, and an end without a lost message."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext

Handler = Callable[[Msg, dict[str, Any]], Awaitable[None]]
# How a login is called in the environment, and by nats-py.
LOGINS = {"NATS_CREDS": "user_credentials", "NATS_NKEY": "nkeys_seed", "NATS_USER": "user", "NATS_PASSWORD": "password"}
WAIT_S, PAUSE_S, RETRY_S = 1.0, 1.0, 5.0


class Service:
    """A service's connection. ``stopping`` is set by SIGTERM and Ctrl-C."""

    def __init__(self, name: str, js: JetStreamContext, stopping: asyncio.Event) -> None:
        self.name, self.js, self.stopping = name, js, stopping

    async def consume(self, stream: str, handle: Handler) -> None:
        """Take messages from the durable consumer that the stack has made for this service, until it stops.

        A message is acknowledged once it is dealt with, never delivered again if it cannot be read, and delivered again
        later after any other error: ``max_deliver`` times in all.
        """
        consumer = await self.js.pull_subscribe_bind(durable=self.name, stream=stream)
        while not self.stopping.is_set():
            try:
                messages = await consumer.fetch(1, timeout=WAIT_S)
            except TimeoutError:
                continue
            except (nats.errors.Error, nats.js.errors.Error) as error:  # none while a stack replaces it: it comes back
                self.say(f"{stream}: {error}")
                await asyncio.sleep(PAUSE_S)
                continue
            for message in messages:
                await self._settle(message, handle)

    async def publish(
        self, subject: str, content: dict[str, Any], cause: Msg | None = None, new_headers: dict[str, str] | None = None
    ) -> None:
        """Publish, with the headers of the message that it follows from. The server drops a second one of its kind."""
        given = (cause and cause.headers) or new_headers or {}
        headers = {key: value for key, value in given.items() if not key.startswith("Nats-")}
        if cause:  # the same message delivered again has the same identity, so what follows is stored once
            position = cause.metadata
            headers["Nats-Msg-Id"] = f"{self.name}.{position.stream}.{position.sequence.stream}.{subject}"
        await self.js.publish(subject, json.dumps(content).encode(), headers=headers or None)

    def say(self, text: str) -> None:
        """Tell whoever started it."""
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)

    async def _settle(self, message: Msg, handle: Handler) -> None:
        try:
            await handle(message, json.loads(message.data))
        except (ValueError, KeyError) as error:
            self.say(f"{message.subject} cannot be read: {error!r}")
            await message.term()
        except Exception as error:  # noqa: BLE001 - whatever it is, the message is not lost
            self.say(f"{message.subject} again in {RETRY_S:g} s: {error!r}")
            await message.nak(delay=RETRY_S)
        else:
            await message.ack()


def run(name: str, work: Callable[[Service], Coroutine[Any, Any, None]]) -> None:
    """Connect as ``NATS_URL`` and the login in the environment say, work, and end once what was begun is done."""
    asyncio.run(_run(name, work))


async def _run(name: str, work: Callable[[Service], Coroutine[Any, Any, None]]) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    login = {option: os.environ[variable] for variable, option in LOGINS.items() if os.environ.get(variable)}
    trusted = os.environ.get("NATS_CA")
    tls = {"tls": ssl.create_default_context(cafile=trusted)} if trusted else {}
    url = os.environ.get("NATS_URL", "nats://127.0.0.1:4222").split(",")
    connection = await nats.connect(
        url, name=name, inbox_prefix=f"_INBOX_{name}", max_reconnect_attempts=-1, **login, **tls
    )
    try:
        await work(Service(name, connection.jetstream(), stopping))
    finally:
        await connection.flush()  # the last acknowledgements; a drain waits for pull subscriptions, which never end
        await connection.close()
