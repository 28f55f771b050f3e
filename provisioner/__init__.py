"""JetStream as code: ``from provisioner import Server, Stream`` in a Pulumi program, ``streams`` on the command line.

The names are imported when they are asked for: the command line has no use for Pulumi, which costs its start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from provisioner.resources.blocks import (
        ConsumerLimits,
        External,
        Placement,
        Republish,
        Source,
        SourceConsumer,
        SubjectTransform,
    )
    from provisioner.resources.catalogue import Catalogue
    from provisioner.resources.consumer import Consumer
    from provisioner.resources.errors import ArgumentError
    from provisioner.resources.key_value import KeyValue
    from provisioner.resources.object_store import ObjectStore
    from provisioner.resources.server import Server
    from provisioner.resources.stream import Stream

__all__ = [
    "ArgumentError",
    "Catalogue",
    "Consumer",
    "ConsumerLimits",
    "External",
    "KeyValue",
    "ObjectStore",
    "Placement",
    "Republish",
    "Server",
    "Source",
    "SourceConsumer",
    "Stream",
    "SubjectTransform",
]

_MODULES: Final = {
    "blocks": (
        "ConsumerLimits",
        "External",
        "Placement",
        "Republish",
        "Source",
        "SourceConsumer",
        "SubjectTransform",
    ),
    "catalogue": ("Catalogue",),
    "consumer": ("Consumer",),
    "errors": ("ArgumentError",),
    "key_value": ("KeyValue",),
    "object_store": ("ObjectStore",),
    "server": ("Server",),
    "stream": ("Stream",),
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"provisioner.resources.{_MODULE_OF[name]}"), name)
