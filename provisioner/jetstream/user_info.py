"""What the server tells a user about itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from provisioner.errors import ProvisionerError
from provisioner.jetstream.answers import answered
from provisioner.jetstream.client import JetStream

if TYPE_CHECKING:
    from provisioner.jetstream.connection import Connection

USER_INFO: Final = "$SYS.REQ.USER.INFO"
# It is asked for better words only, so nobody waits long for it.
_TIMEOUT_S: Final = 1.0
_ATTEMPTS: Final = 5

_LOG: Final = logging.getLogger(__name__)


def user_info(client: JetStream) -> Mapping[str, Any]:
    """The server's answer about this user, with its permissions; empty where there is none, or none is permitted."""
    connection = client.connection
    try:
        answers = (answered(connection.request(USER_INFO, b"", _TIMEOUT_S)) for _ in range(_ATTEMPTS))
        return next((answer for answer in answers if _is_from(connection, answer)), {})
    except ProvisionerError as error:
        _LOG.info("the server does not tell what this user may do: %s", error)
        return {}


def _is_from(connection: Connection, answer: Mapping[str, Any]) -> bool:
    """Whether the server that lets this user in has answered: a leaf node does too, about its own connection."""
    return bool(answer.get("server", {}).get("id") == connection.server_start)
