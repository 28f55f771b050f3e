"""What a program declares that makes its server itself, as this project's does: the server's parts, and its estate.

Each is imported when it is asked for: a program has one kind of server, and the others' packages cost its start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from provisioner.providers.authority import Authority
    from provisioner.providers.encryption import EncryptionKey
    from provisioner.providers.endpoint import Endpoint, StreamOptions
    from provisioner.providers.engine import announce_program
    from provisioner.providers.files import Files
    from provisioner.providers.identity import Identity
    from provisioner.providers.node_turn import NodeTurn
    from provisioner.providers.operator import Operator
    from provisioner.providers.password import Password
    from provisioner.providers.server_process import ServerProcess, Tls
    from provisioner.providers.store import Store
    from provisioner.reconcile.docker_cluster import greeting_nodes
    from provisioner.reconcile.estate import ACCOUNT_IN_STORE, data_of
    from provisioner.resources.estate import Estate
    from provisioner.resources.stack_server import StackServer

__all__ = [
    "ACCOUNT_IN_STORE",
    "Authority",
    "EncryptionKey",
    "Endpoint",
    "Estate",
    "Files",
    "Identity",
    "NodeTurn",
    "Operator",
    "Password",
    "ServerProcess",
    "StackServer",
    "Store",
    "StreamOptions",
    "Tls",
    "announce_program",
    "data_of",
    "greeting_nodes",
]

_MODULES: Final = {
    "providers.authority": ("Authority",),
    "providers.encryption": ("EncryptionKey",),
    "providers.endpoint": ("Endpoint", "StreamOptions"),
    "providers.engine": ("announce_program",),
    "providers.files": ("Files",),
    "providers.identity": ("Identity",),
    "providers.node_turn": ("NodeTurn",),
    "providers.operator": ("Operator",),
    "providers.password": ("Password",),
    "providers.server_process": ("ServerProcess", "Tls"),
    "providers.store": ("Store",),
    "reconcile.docker_cluster": ("greeting_nodes",),
    "reconcile.estate": ("ACCOUNT_IN_STORE", "data_of"),
    "resources.estate": ("Estate",),
    "resources.stack_server": ("StackServer",),
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"provisioner.{_MODULE_OF[name]}"), name)
