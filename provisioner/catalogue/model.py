"""What a catalogue says, and what its streams need of a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from provisioner.schema.model import StreamSpec

_GIB: Final = 1024**3


@dataclass(frozen=True)
class Catalogue:
    """A catalogue without problems.

    Attributes:
        streams: in the file's order.
        notes: advice that is no error, one line each: ``FILE:LINE: STREAM: what``.
        ignore: shell patterns of streams of others, which a status does not list.
    """

    streams: tuple[StreamSpec, ...]
    notes: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def reserved(specs: Iterable[StreamSpec]) -> int:
    """Bytes of file store the streams reserve together: max_bytes of every copy."""
    return sum(max(spec.config["max_bytes"], 0) * spec.config["num_replicas"] for spec in _on_disk(specs))


def room(specs: Iterable[StreamSpec]) -> int | None:
    """Bytes of file store to give a server for these streams; None where one of them has no limit.

    The largest counts twice: the server asks for a CREATE's room before it sees that the stream
    is there already, so a full store refuses a service that creates its own stream at start-up.
    """
    sizes = [spec.config["max_bytes"] * spec.config["num_replicas"] for spec in _on_disk(specs)]
    if any(size < 0 for size in sizes):
        return None
    return -(-(sum(sizes) + max(sizes, default=0)) // _GIB) * _GIB or _GIB


def _on_disk(specs: Iterable[StreamSpec]) -> list[StreamSpec]:
    return [spec for spec in specs if spec.config["storage"] == "file"]
