"""Addresses of options: an IP address and a port."""

from __future__ import annotations

import ipaddress
from typing import Final, NamedTuple

from provisioner.errors import ProvisionerError

METRICS: Final = "127.0.0.1:9422"
_LOOPBACK: Final = "127.0.0.1"
_MOST: Final = 65_535
_EXAMPLE: Final = f"write it like {METRICS}"


class Address(NamedTuple):
    """Where something listens; ``str`` is as a URL has it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(option: str, text: str) -> Address:
    """``[HOST:]PORT``, where the default host is this machine, for itself.

    Raises:
        ProvisionerError: it is none; the text names the option.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or _LOOPBACK
    try:
        found = str(ipaddress.ip_address(host))
    except ValueError:
        raise ProvisionerError(f"{option} {text}: {host!r} is not an IP address; {_EXAMPLE}") from None
    if not (port.isdecimal() and 1 <= int(port) <= _MOST):
        raise ProvisionerError(f"{option} {text}: {port!r} is not a port; {_EXAMPLE}")
    return Address(found, int(port))
