"""The checks of streams, one row a case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue import reader as catalogue
from provisioner.errors import Unreachable
from provisioner.rules.stream_names import Unmanaged, unmanaged
from provisioner.schema.config import with_fields
from provisioner.schema.model import StreamInfo, StreamSpec
from provisioner.status.listing import Listing
from provisioner.status.server_checks import Severity
from provisioner.status.stream_checks import examine, shown

OK, WARNING, CRITICAL, UNKNOWN = Severity.OK, Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN
NOT_ASKED = Listing(account=Unreachable("nobody answers"))


def stream(**fields: Any) -> StreamSpec:
    """A stream ORDERS with these wire values."""
    spec = catalogue.parse("ORDERS: {subjects: [orders.new], max_age: 7d}", "streams.yaml").streams[0]
    return replace(spec, config=with_fields(spec.config, fields))


def live(spec: StreamSpec, **state: Any) -> Listing:
    """A server that holds a stream as specified."""
    return listing({spec.name: StreamInfo(spec.config, created="2026-01-01T00:00:00Z", **state)})


def listing(streams: dict[str, StreamInfo]) -> Listing:
    """A server that holds these."""
    return Listing(account={}, streams=streams)


def test_equal() -> None:
    """A stream as the catalogue says is ok, its figures at hand."""
    health = examine([stream()], live(stream(), messages=3), {})[0]
    assert ("ok", OK) == (health.state, health.severity)
    assert health.info
    assert 3 == health.info.messages


def test_rewritten_by_the_server() -> None:
    """What the server fills in or adds is no drift."""
    written = stream(duplicate_window=120_000_000_000, metadata={"_nats.ver": "2.15.1"})
    assert "ok" == examine([stream()], live(written), {})[0].state


def test_half_carried_over() -> None:
    """A stream that is gone and has a copy: where its messages are, and what brings them back."""
    health = examine([stream()], listing({}), {"ORDERS": [Path("copies/ORDERS")]})[0]
    assert ("partial", CRITICAL) == (health.state, health.severity)
    said = "is half carried over: its messages are in copies/ORDERS; pulumi up completes it"
    assert [said] == [result.text for result in health.results]


def test_missing() -> None:
    """A stream that is not there is critical."""
    health = examine([stream()], listing({}), {})[0]
    assert ("missing", CRITICAL, None) == (health.state, health.severity, health.info)


def test_not_asked() -> None:
    """A server that could not be asked leaves a stream unknown, not missing."""
    health = examine([stream()], NOT_ASKED, {})[0]
    assert ("unknown", UNKNOWN) == (health.state, health.severity)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"max_age": 86_400_000_000_000}, "max_age: 7d (live: 1d)"),
        ({"max_bytes": 1024**3}, "max_bytes: unlimited (live: 1.0 GiB)"),
        ({"max_msg_size": 2049}, "max_msg_size: unlimited (live: 2.0 KiB)"),
        ({"subjects": ["orders.*", "other"]}, "subjects: orders.new (live: orders.*, other)"),
        ({"allow_direct": True}, "allow_direct: false (live: true)"),
        ({"description": "x"}, "description: none (live: x)"),
        ({"metadata": {"a": "b"}}, 'metadata: none (live: {"a": "b"})'),
        (
            {"republish": {"src": ">", "dest": "copy", "headers_only": False}},
            'republish: none (live: {"dest": "copy"})',
        ),
    ],
)
def test_drift(fields: dict[str, Any], text: str) -> None:
    """A differing field of any kind is a warning with both values on one line."""
    health = examine([stream()], live(stream(**fields)), {})[0]
    assert ("drift", WARNING) == (health.state, health.severity)
    assert [text] == [result.text for result in health.results]


@pytest.mark.parametrize(
    ("fields", "state", "text"),
    [
        ({"max_bytes": 100}, {"bytes": 91}, "91 % of max_bytes: then the oldest are dropped before max_age"),
        ({"max_bytes": 100}, {"bytes": 79}, None),
        ({"max_msgs": 10}, {"messages": 10}, "100 % of max_msgs: then the oldest are dropped before max_age"),
        (
            {"max_msgs": 10, "discard": "new"},
            {"messages": 10},
            "100 % of max_msgs: then new messages are refused",
        ),
        (
            {"max_msgs": 10, "retention": "workqueue", "max_age": 0},
            {"messages": 10},
            "100 % of max_msgs: then messages are dropped before they are consumed",
        ),
        ({"max_msgs": 10, "max_age": 0}, {"messages": 10}, None),
        ({"max_msgs": 10, "sealed": True, "discard": "new"}, {"messages": 10}, None),
        ({}, {"bytes": 10**12, "messages": 10**9}, None),
    ],
)
def test_nearly_full(fields: dict[str, Any], state: dict[str, int], text: str | None) -> None:
    """80 % of a limit is a warning where somebody would miss the messages, and only there."""
    health = examine([stream(**fields)], live(stream(**fields), **state), {})[0]
    assert ("nearly full" if text else "ok") == health.state
    assert [text or "is as the catalogue says"] == [result.text for result in health.results]


def test_drift_and_nearly_full() -> None:
    """Both are told; the share is that of the limit in force."""
    health = examine([stream(max_bytes=1000)], live(stream(max_bytes=100), bytes=95), {})[0]
    assert "drift" == health.state
    assert [
        "max_bytes: 1000 B (live: 100 B)",
        "95 % of max_bytes: then the oldest are dropped before max_age",
    ] == [result.text for result in health.results]


def test_sizes_that_differ_by_a_byte() -> None:
    """Sizes that would read the same are shown to the byte."""
    health = examine([stream(max_bytes=1024**3)], live(stream(max_bytes=1024**3 + 1)), {})[0]
    assert ["max_bytes: 1,073,741,824 B (live: 1,073,741,825 B)"] == [result.text for result in health.results]


def test_unmanaged() -> None:
    """Streams beside the catalogue's are named as their owners know them, the server's own not at all."""
    names = ["ORDERS", "KV_cfg", "OBJ_files", "$MQTT_msgs", "_internal", "AUDIT"]
    expected = (
        Unmanaged("AUDIT", "stream"),
        Unmanaged("cfg", "key-value bucket"),
        Unmanaged("files", "object bucket"),
    )
    assert expected == unmanaged(names, [stream().name])


def test_ignored_streams_are_not_listed() -> None:
    """Shell patterns of a stream's whole name, as the catalogue's ignore has them."""
    names = ["TEMP_1", "TEMP_2", "LOGS", "LOGS_2"]
    assert (Unmanaged("LOGS_2", "stream"),) == unmanaged(names, [], ["TEMP_*", "LOGS"])


def test_shown_nothing() -> None:
    """A block or text that is not there has a word."""
    assert ["none"] * 3 == [shown("mirror", None), shown("description", ""), shown("sources", [])]
