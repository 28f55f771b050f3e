"""The ways to have a NATS server; each module's ``launch`` gives the same Endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pulumi

# A server listens on these, nobody can connect to them.
_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server as the streams see it.

    Attributes:
        url: Where clients connect.
        monitor_url: The server's HTTP monitoring, if there is one.
        ready: Unknown in a preview that is about to make or restart the server: nobody is asked then.
        store: Names the data behind the server; another name is other data.
        resources: What the streams depend on.
    """

    url: str
    monitor_url: str | None
    ready: pulumi.Input[str]
    store: pulumi.Input[str]
    resources: tuple[pulumi.Resource, ...]


def local_url(scheme: str, address: str, port: int) -> str:
    """Where a client on this machine finds a server that listens on ``address`` and ``port``."""
    host = _EVERY_ADDRESS.get(address, address)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
