"""What `make destroy` lists before it begins."""

from __future__ import annotations

from tools.environment import deleted_streams

STREAMS = {"GOES": "delete", "STAYS": "retain", "GUARDED": "guard", "APPROVED": "guard"}


def test_what_a_destroy_deletes() -> None:
    """Streams with the policy delete, and guarded ones that the run may delete; an approval moves no retained one."""
    outputs = {"url": "nats://a", "streams": {name: {"on_delete": policy} for name, policy in STREAMS.items()}}
    assert ["GOES"] == deleted_streams(outputs, "")
    assert ["GOES", "APPROVED"] == deleted_streams(outputs, "APPROVED, STAYS")
    assert [] == deleted_streams({}, "")
