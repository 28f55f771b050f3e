"""A stream that hears nothing from its origin."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.status.origins import origin_troubles

CREATED = "2026-11-27T07:39:00Z"
SECOND = 1_000_000_000
EXTERNAL = {"api": "$JS.hub.API", "deliver": ""}


def troubles(ts: str | None = "2026-11-27T07:41:00Z", **fields: Any) -> list[str]:
    """What is told of a stream that is two minutes old."""
    return [*origin_troubles({"created": CREATED, "ts": ts, **fields})]


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        ({"lag": 0, "active": SECOND}, None),
        ({"lag": 9, "active": 29 * SECOND}, None),
        ({"lag": 0, "active": 0}, None),
        ({}, None),
        ({"lag": 0, "active": -1}, "has never heard from its origin HUB: it is not there, or cannot be reached"),
        ({"lag": 0, "active": 61 * SECOND}, "has not heard from its origin HUB for 61 s"),
        ({"lag": 1, "active": 3600 * SECOND}, "has not heard from its origin HUB for 3,600 s, 1 message behind"),
        ({"external": EXTERNAL, "active": 30 * SECOND}, "has not heard from its origin HUB ($JS.hub.API) for 30 s"),
        (
            {"active": SECOND, "error": {"code": 500, "description": "no such thing"}},
            "gets nothing from its origin HUB: no such thing",
        ),
    ],
)
def test_a_silent_origin(origin: dict[str, Any], text: str | None) -> None:
    """Of a mirror and among sources alike; what has been heard of lately is none, whatever it is behind."""
    expected = [text] if text else []
    assert expected == troubles(mirror={"name": "HUB", **origin})
    assert expected == troubles(sources=[{"name": "OTHER", "active": SECOND}, {"name": "HUB", **origin}])


def test_a_new_stream_has_yet_to_hear() -> None:
    """For as long as an origin may be silent; a server that does not say when it answers is believed."""
    never = {"name": "HUB", "active": -1}
    assert [] == troubles("2026-11-27T07:39:29Z", mirror=never)
    assert 1 == len(troubles("2026-11-27T07:39:30Z", mirror=never))
    assert 1 == len(troubles(None, mirror=never))
    assert [] == troubles()
