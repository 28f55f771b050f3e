"""What a program has declared on a server, and what the gate's resource is registered with: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A stream or consumer that a program has declared.

    Attributes:
        what: what messages call it: ``Stream ORDERS``.
        label: its name on the server, of a consumer after its stream's; None where that is an output.
        policy: what deleting it does, of a stream; None of a consumer.
        before: the name whose messages it takes over, if it does.
        stream: its properties, of a stream whose whole configuration is known.
        consumer: the same of a consumer.
    """

    what: str
    label: str | None
    policy: str | None = None
    before: str | None = None
    stream: Mapping[str, Any] | None = None
    consumer: Mapping[str, Any] | None = None


def program_properties(declared: Sequence[Declared]) -> dict[str, Any]:
    """What the gate's resource is registered with, of all that is declared."""
    unread = [each for each in declared if each.label and not (each.stream or each.consumer)]
    later = {each.label for each in unread}
    consumers = [each for each in declared if each.consumer]
    on_later = [each for each in consumers if each.consumer and each.consumer["stream"] in later]
    names = [each.label for each in (*unread, *on_later)] + [each.before for each in unread if each.before]
    return {
        "policies": {each.label: each.policy for each in declared if each.label and each.policy},
        "streams": [each.stream for each in declared if each.stream],
        "consumers": [each.consumer for each in consumers if each not in on_later] or None,
        "unread": sorted(filter(None, names)) or None,
        "incomplete": any(each.label is None for each in declared) or None,
    }
