"""What the server tells a user about itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream, answered

USER_INFO: Final = "$SYS.REQ.USER.INFO"
# It is asked for better words only, so nobody waits long for it.
_TIMEOUT_S: Final = 1.0

_LOG: Final = logging.getLogger(__name__)


def user_info(client: JetStream) -> Mapping[str, Any]:
    """The server's answer about this user, with its permissions; empty where there is none, or none is permitted."""
    try:
        return answered(client.connection.request(USER_INFO, b"", _TIMEOUT_S))
    except ProvisionerError as error:
        _LOG.info("the server does not tell what this user may do: %s", error)
        return {}
