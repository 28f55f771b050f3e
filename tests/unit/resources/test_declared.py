"""What the gate is told of a program."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.resources.declared import Declared, program_properties

ORDERS = {"name": "ORDERS"}
BILLING = {"stream": "ORDERS", "durable_name": "billing"}
NOTHING: dict[str, Any] = {"policies": {}, "streams": [], "consumers": None, "unread": None, "incomplete": None}


def _stream(label: str | None, stream: dict[str, Any] | None = None, **said: Any) -> Declared:
    return Declared(what="Stream x", label=label, policy="guard", stream=stream, **said)


def _consumer(label: str, consumer: dict[str, Any] | None = None) -> Declared:
    return Declared(what="Consumer x", label=label, consumer=consumer)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ((), {}),
        (
            (_stream("ORDERS", ORDERS), _consumer("ORDERS/billing", BILLING)),
            {"policies": {"ORDERS": "guard"}, "streams": [ORDERS], "consumers": [BILLING]},
        ),
        ((_stream("ORDERS", before="OLD"),), {"policies": {"ORDERS": "guard"}, "unread": ["OLD", "ORDERS"]}),
        ((_stream(None),), {"incomplete": True}),
        (
            (_stream("ORDERS"), _consumer("ORDERS/billing", BILLING)),
            {"policies": {"ORDERS": "guard"}, "unread": ["ORDERS", "ORDERS/billing"]},
        ),
    ],
)
def test_what_is_known_of_it(declared: tuple[Declared, ...], told: dict[str, Any]) -> None:
    """What is known whole is judged, of the rest the name; a consumer of a stream that is not is not either."""
    assert NOTHING | told == program_properties(declared)
