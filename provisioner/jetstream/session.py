"""A connection that logs in again, with another login, when the server no longer accepts its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from provisioner.errors import JetStreamOff, LoginRefused
from provisioner.jetstream.target import Credentials, Headers
from provisioner.jetstream.timeouts import FIRST_CONTACT_TIMEOUT_S

if TYPE_CHECKING:
    from provisioner.jetstream.connection import Connection

# Gives, for a login that is refused, the one to try.
OtherLogin: TypeAlias = Callable[[Credentials], Credentials | None]

_NEW_ACCOUNT_TIMEOUT_S: Final = 2.0
_PAUSE_S: Final = 0.1
# The one of the last up, what this run has learned, and what the settings or the state say.
_MOST_LOGINS: Final = 2

_LOG: Final = logging.getLogger(__name__)


def no_other_login(_refused: Credentials) -> Credentials | None:
    """There is no other login to try."""
    return None


class Session:
    """One login's connection after another; safe from several threads.

    Args:
        url: the server's, or those of a cluster's servers with commas.
        credentials: how to log in.
        timeout: seconds for the first contact.
        other_login: gives the login to try when the server refuses one, at first or later; None for no other.

    Attributes:
        credentials: the login that was accepted.

    Raises:
        Unreachable: no answer in time.
        LoginRefused: the server accepts no login.
    """

    def __init__(self, url: str, credentials: Credentials, timeout: float, other_login: OtherLogin) -> None:
        self._url, self.credentials, self._other_login = url, credentials, other_login
        self._logging_in = threading.Lock()
        self.connection = self._connected(timeout)

    def request(self, subject: str, payload: bytes, timeout: float, headers: Headers = None) -> bytes:
        """Send one request and return its answer; again with the other login, where that of now is refused."""
        connection = self.connection
        try:
            return connection.request(subject, payload, timeout, headers)
        except LoginRefused:
            if not self._is_replaced(connection):
                raise
        return self._first_answer(subject, payload, timeout, headers)

    def _connected(self, timeout: float) -> Connection:
        # Importing nats takes 0.05 s, which Pulumi's program, that asks no server, need not spend.
        from provisioner.jetstream.connection import Connection  # noqa: PLC0415

        for _ in range(_MOST_LOGINS):
            try:
                return Connection(self._url, self.credentials, timeout)
            except LoginRefused:
                if not self._has_other_login():
                    raise
        return Connection(self._url, self.credentials, timeout)

    def _has_other_login(self) -> bool:
        login = self._other_login(self.credentials)
        if login is None or login == self.credentials:
            return False
        _LOG.info("the login is refused; another is tried")
        self.credentials = login
        return True

    def _is_replaced(self, refused: Connection) -> bool:
        """Whether a connection of another login has taken the place of a refused one; of several threads, once."""
        with self._logging_in:
            if self.connection is refused and self._has_other_login():
                refused.close()
                self.connection = self._connected(FIRST_CONTACT_TIMEOUT_S)
            return self.connection is not refused

    def _first_answer(self, subject: str, payload: bytes, timeout: float, headers: Headers) -> bytes:
        """The answer to a request after a change of users: a new account has its JetStream a moment later."""
        deadline = time.monotonic() + _NEW_ACCOUNT_TIMEOUT_S
        while True:
            try:
                return self.connection.request(subject, payload, timeout, headers)
            except JetStreamOff:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE_S)
