"""The ways to have a NATS server; each module's ``launch`` gives a Server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from provisioner.providers.stream import Endpoint

if TYPE_CHECKING:
    import pulumi

# A server listens on these, nobody can connect to them.
_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


@dataclass(frozen=True)
class Server:
    """A server of the stack.

    Attributes:
        endpoint: The server as the streams see it.
        resources: What the streams depend on.
    """

    endpoint: Endpoint
    resources: tuple[pulumi.Resource, ...] = ()


def local_url(scheme: str, address: str, port: int) -> str:
    """Where a client on this machine finds a server that listens on ``address`` and ``port``."""
    host = _EVERY_ADDRESS.get(address, address)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
