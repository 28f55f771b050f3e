"""What a server has to be for the streams of a catalogue."""

from __future__ import annotations

import pytest

from infra.settings import SettingsError, parse
from infra.sizing import fitted, room
from provisioner.catalogue import reader
from provisioner.schema.model import OnDelete, StreamSpec

GIB = 1024**3


def _streams(text: str) -> tuple[StreamSpec, ...]:
    return reader.parse(text, "c.yaml").streams


@pytest.mark.parametrize(
    ("text", "gib"),
    [
        ("A: {max_bytes: 10GiB}\nB: {max_bytes: 8.5GiB}", 29),
        ("A: {max_bytes: 1}", 1),
        ("A: {max_bytes: 1GiB, num_replicas: 3}", 2),
        ("A: {max_bytes: 5GiB, storage: memory}", 1),
        ("A: {max_bytes: 1GiB}\nB: {}", None),
    ],
)
def test_room_for_the_streams_and_the_largest_once_more(text: str, gib: int | None) -> None:
    """In whole GiB; a stream without a limit leaves it to the server."""
    assert room(_streams(text)) == (None if gib is None else gib * GIB)


def test_more_replicas_than_nodes() -> None:
    """Each replica is on a node of its own; of somebody else's servers only a plan can tell."""
    streams = _streams("A: {}\nB: {num_replicas: 3}")
    with pytest.raises(
        SettingsError, match=r"^c.yaml:2: B: num_replicas: 3 is more than the 1 node of stack dev; lower"
    ):
        fitted(parse({"server": "process"}, "dev"), streams)
    with pytest.raises(SettingsError, match="lower it or the setting replicas, or raise the setting nodes"):
        fitted(parse({"server": "process", "replicas": "3"}, "dev"), streams)
    fitted(parse({"server": "process", "nodes": "3"}, "dev"), streams)
    fitted(parse({"server": "external", "url": "nats://a"}, "dev"), streams)


def test_a_limit_below_what_the_streams_reserve_is_refused() -> None:
    """The line has both sizes, and which catalogue it is about."""
    settings = parse({"server": "process", "maxFileStore": "9GiB"}, "dev")

    with pytest.raises(SettingsError, match=r"stack dev: maxFileStore: 9.* is less than the 10.* infra/streams.yaml"):
        fitted(settings, _streams("A: {max_bytes: 10GiB}"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A: {on_delete: delete}\nB: {on_delete: delete}", OnDelete.DELETE),
        ("A: {on_delete: delete}\nB: {}", OnDelete.RETAIN),
        ("A: {on_delete: delete}\nB: {on_delete: retain}", OnDelete.RETAIN),
    ],
)
def test_the_store_goes_only_when_every_stream_may_go(text: str, expected: OnDelete) -> None:
    """One stream that is guarded or retained keeps the volume or folder of all."""
    assert expected == fitted(parse({"server": "process"}, "dev"), _streams(text)).on_delete
