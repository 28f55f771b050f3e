"""What a catalogue says, and what its streams need of a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.model import StreamSpec


@dataclass(frozen=True)
class Catalogue:
    """A catalogue without problems.

    Attributes:
        streams: in the file's order, and after them those behind buckets and object stores.
        notes: advice that is no error, one line each: ``FILE:LINE: STREAM: what``.
        ignore: shell patterns of streams of others, which a status does not list.
        consumers: of all streams, in the file's order.
    """

    streams: tuple[StreamSpec, ...]
    notes: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    consumers: tuple[ConsumerSpec, ...] = ()


def reserved(specs: Iterable[StreamSpec], *, copies: bool = False) -> int:
    """Bytes of file store that the streams reserve on a server with a replica of each; or all ``copies`` together."""
    on_disk = [spec.config for spec in specs if spec.config["storage"] == "file"]
    return sum(max(config["max_bytes"], 0) * (config["num_replicas"] if copies else 1) for config in on_disk)
