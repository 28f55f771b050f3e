"""The values everything else speaks in: configurations and what a server holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from provisioner.schema.types import Wire

# A whole StreamConfig under its wire names, every field present, as integers and plain JSON.
StreamConfig: TypeAlias = Mapping[str, Wire]

SERVER_METADATA: Final = "_nats."
# Metadata that names the stack a stream belongs to.
OWNER: Final = "pulumi.owner"


@dataclass(frozen=True)
class Place:
    """Where something stands in a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class StreamSpec:
    """One stream of the catalogue."""

    config: StreamConfig
    purpose: str = ""
    on_delete: str | None = None
    adopt: str = "equal"
    mark_owner: bool = False
    owner: str = ""
    place: Place | None = None

    @property
    def name(self) -> str:
        return str(self.config["name"])


@dataclass(frozen=True)
class StreamInfo:
    """A stream as the server holds it at one moment."""

    config: StreamConfig
    created: str
    messages: int = 0
    bytes: int = 0
    first_time: str = ""
    last_time: str = ""
    consumers: int = 0


@dataclass(frozen=True)
class ServerFacts:
    """What the rules need to know of a server.

    Attributes:
        version: (major, minor, patch).
        clustered: whether streams can have replicas.
        max_storage: bytes of file store this account may reserve, None where it is not told.
        max_memory: the same for memory.
        reserved_storage: bytes its streams have reserved of it.
        reserved_memory: the same for memory.
        max_bytes_required: whether every stream must have max_bytes.
    """

    version: tuple[int, int, int] = (2, 15, 0)
    clustered: bool = False
    max_storage: int | None = None
    max_memory: int | None = None
    reserved_storage: int = 0
    reserved_memory: int = 0
    max_bytes_required: bool = False
    others: Mapping[str, StreamConfig] = field(default_factory=dict)
