"""nats.py's client as this program uses it: its options, and TLS that cannot be talked out of."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any

from nats.aio.client import Client, RawCredentials
from nats.errors import Error as NatsError

from provisioner.errors import LoginRefused
from provisioner.jetstream import tls
from provisioner.jetstream.login import inbox_prefix, seed
from provisioner.jetstream.target import Credentials

# asyncio says so of every TLS connection that nats.py makes, once the server ends it; it means nothing.
logging.getLogger("asyncio").addFilter(lambda record: "eof_received() has no effect" not in record.getMessage())


class GuardedClient(Client):
    """A client that sends no login in clear where TLS is wanted.

    nats.py begins TLS only if the server's greeting requires it, and the greeting itself comes in clear: whoever is
    between could leave that out.
    """

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:  # noqa: FBT001, FBT002
        if initial_connection and self.options.get("tls") and not self._is_encrypted():
            if not (info.get("tls_required") or info.get("tls_available")):
                raise NatsError(tls.NO_TLS)
            info["tls_required"] = True
        await super()._process_info(info, initial_connection)

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
        except ssl.SSLError:
            self._give_up_transport()
            raise

    def _give_up_transport(self) -> None:
        """Drop a connection whose handshake failed: nats.py would wait for its end, which nobody tells it of."""
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
    options = {
        "user": credentials.user,
        "password": credentials.password,
        "token": credentials.token,
        "user_credentials": _creds(credentials.credentials),
        "nkeys_seed_str": seed(credentials.nkey),
        "inbox_prefix": inbox_prefix(credentials.inbox_prefix),
        "tls": tls.context(credentials) if tls.is_wanted(urls, credentials) else None,
    }
    return {name: value for name, value in options.items() if value}


def _creds(credentials: str | None) -> str | RawCredentials | None:
    if not credentials:
        return None
    if "-----BEGIN" in credentials:
        return RawCredentials(credentials)
    if not Path(credentials).is_file():
        raise LoginRefused(f"credentials: there is no file {credentials}; give a .creds file's path or its text")
    return credentials
