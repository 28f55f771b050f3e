"""Subjects change hands between streams in one run."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.providers.stream import StreamProvider
from provisioner.schema.model import StreamConfig, StreamInfo
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.stream_provider import gate, props, provider

pytestmark = pytest.mark.usefixtures("own_process")


def _seen(server: NatsServer, held: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]) -> StreamProvider:
    """A provider that has read and checked the streams of a run, as Pulumi does before any change."""
    made = provider()
    for name, was in held.items():
        made.read(name, was)
    assert [] == gate(server, news.values())
    for name, wanted in news.items():
        assert [] == made.check(olds.get(name, {}), wanted).failures
    return made


@pytest.mark.parametrize("first", ["LEFT", "RIGHT"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(["a"], ["b", "c"], id="moved"),
        pytest.param(["a", "b", "c"], ["d"], id="moved back"),
        pytest.param(["c"], ["a", "b"], id="swapped"),
    ],
)
def test_subjects_move_in_whatever_order(
    server: NatsServer, jetstream: JetStream, first: str, left: list[str], right: list[str]
) -> None:
    """Released before acquired, in one run; after the first of the two updates both streams are right."""
    before = {"LEFT": ["a", "b"], "RIGHT": ["c"]}
    for name, subjects in before.items():
        jetstream.create(config(name, subjects=subjects))
        jetstream.connection.request(subjects[0], b"payload")
    wanted = {"LEFT": left, "RIGHT": right}
    olds = {name: props(server, name, subjects=subjects) for name, subjects in before.items()}
    news = {name: props(server, name, subjects=subjects) for name, subjects in wanted.items()}

    made = _seen(server, olds, olds, news)
    made.update(first, olds[first], news[first])

    assert wanted == {name: live.config["subjects"] for name, live in jetstream.streams().items()}
    assert [1, 1] == [live.messages for live in jetstream.streams().values()]


def test_a_renamed_stream_takes_its_subjects_along(server: NatsServer, jetstream: JetStream) -> None:
    """The new one is made before the old one is deleted: it gets the subjects the old one gives up."""
    jetstream.create(config("OLD", subjects=["a"]))
    old = {"OLD": props(server, "OLD", subjects=["a"], on_delete="delete")}
    new = props(server, "NEW", subjects=["a"])

    _seen(server, old, {}, {"NEW": new}).create(new)
    assert {"NEW": ["a"], "OLD": ["_released.OLD"]} == {
        name: live.config["subjects"] for name, live in jetstream.streams().items()
    }


def test_a_stream_that_is_deleted_in_that_moment(
    server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulumi deletes one stream, to replace it, while another takes its subjects: it has none to release any more."""
    jetstream.create(config("OLD", subjects=["a"]))
    old = {"OLD": props(server, "OLD", subjects=["a"], on_delete="delete")}
    new = props(server, "NEW", subjects=["a"])
    made = _seen(server, old, {}, {"NEW": new})
    update = JetStream.update

    def deleted_before(client: JetStream, changed: StreamConfig) -> StreamInfo:
        jetstream.delete("OLD")
        return update(client, changed)

    monkeypatch.setattr(JetStream, "update", deleted_before)
    made.create(new)
    assert {"NEW": ["a"]} == {name: live.config["subjects"] for name, live in jetstream.streams().items()}


@pytest.mark.parametrize("on_delete", ["guard", "retain"])
def test_a_stream_that_stays_keeps_its_subjects(server: NatsServer, jetstream: JetStream, on_delete: str) -> None:
    """Its policy keeps it: the overlap is an error in preview, and nothing is touched."""
    jetstream.create(config("OLD", subjects=["a"]))
    jetstream.connection.request("a", b"payload")
    made = provider()
    made.read("OLD", props(server, "OLD", subjects=["a"], on_delete=on_delete))
    new = props(server, "NEW", subjects=["a"])

    overlap = "subjects[0] 'a' overlaps 'a' of stream OLD"
    assert f"NEW: {overlap}" in gate(server, [new])
