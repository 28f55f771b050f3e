"""Which streams a destroy deletes."""

from __future__ import annotations

from tools.environment import deleted_streams


def test_streams_that_a_destroy_deletes() -> None:
    """By the policy of the last up; a stack without outputs has none."""
    streams = {"GOES": {"on_delete": "delete"}, "STAYS": {"on_delete": "retain"}, "GUARDED": {"on_delete": "guard"}}
    assert ["GOES"] == deleted_streams({"url": "nats://a", "streams": streams})
    assert [] == deleted_streams({})
