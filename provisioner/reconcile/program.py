"""What a program wants on one server, as far as it is known before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.model import StreamSpec


@dataclass(frozen=True, kw_only=True)
class Program:
    """The streams and consumers of a program.

    Attributes:
        specs: each stream whose whole configuration is known.
        consumers: the same of consumers.
        unread: names of streams, and labels of consumers, that it has as well: of these a value is yet to be made.
        is_complete: whether every name is known, so that what is not among them leaves the program.
    """

    specs: Mapping[str, StreamSpec] = field(default_factory=dict)
    consumers: tuple[ConsumerSpec, ...] = ()
    unread: frozenset[str] = frozenset()
    is_complete: bool = True

    def may_have(self, name: str) -> bool:
        """Whether a stream, or the consumer of a label, may be one of the program's."""
        return not self.is_complete or name in self.specs or name in self.unread
