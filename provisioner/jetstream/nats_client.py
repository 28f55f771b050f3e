"""nats.py's client as this program uses it: its options, and TLS that cannot be talked out of."""

from __future__ import annotations

import logging
from asyncio import InvalidStateError
from contextlib import suppress
from typing import Any

from nats.aio.client import Client, RawCredentials
from nats.errors import Error as NatsError

from provisioner.jetstream import tls
from provisioner.jetstream.login import creds, inbox_prefix, seed
from provisioner.jetstream.target import Credentials

# asyncio says so of every TLS connection that nats.py makes, once the server ends it; it means nothing.
logging.getLogger("asyncio").addFilter(lambda record: "eof_received() has no effect" not in record.getMessage())


class GuardedClient(Client):
    """A client that sends no login in clear where TLS is wanted.

    nats.py begins TLS only if the server's greeting requires it, and the greeting itself comes in clear: whoever is
    between could leave that out.

    Args:
        demands_tls: whether it is wanted.
    """

    def __init__(self, *, demands_tls: bool) -> None:
        super().__init__()
        self._demands_tls = demands_tls

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:  # noqa: FBT001, FBT002
        if initial_connection and self._demands_tls and not self._is_encrypted():
            if not (info.get("tls_required") or info.get("tls_available")):
                raise NatsError(tls.NO_TLS)
            info["tls_required"] = True
        await super()._process_info(info, initial_connection)

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
        except (OSError, NatsError, TimeoutError):
            self._give_up_transport()
            raise

    async def _attempt_reconnect(self) -> None:
        # A node that is killed ends a connection twice, and nats.py counts both attempts as the end of the one wait.
        with suppress(InvalidStateError):
            await super()._attempt_reconnect()

    def _give_up_transport(self) -> None:
        """Drop a connection that came to nothing: nats.py leaves it open, or waits for an end that TLS never tells."""
        if self._transport:
            self._transport.close()  # type: ignore[no-untyped-call]
            self._transport = None

    def _is_encrypted(self) -> bool:
        return bool(self._current_server and self._current_server.uri.scheme == "wss")


def login(urls: str, credentials: Credentials) -> dict[str, Any]:
    """The arguments of nats.py's ``connect`` that say who this is and whom it trusts.

    Raises:
        LoginRefused: there is no such file, no seed, or the inboxes' prefix is none.
    """
    text = creds(credentials.credentials)
    options = {
        "user": credentials.user,
        "password": credentials.password,
        "token": credentials.token,
        "user_credentials": RawCredentials(text) if text else None,
        "nkeys_seed_str": seed(credentials.nkey),
        "inbox_prefix": inbox_prefix(credentials.inbox_prefix),
        "tls": tls.context(credentials) if credentials.trusted or tls.is_wanted(urls, credentials) else None,
    }
    return {name: value for name, value in options.items() if value}
