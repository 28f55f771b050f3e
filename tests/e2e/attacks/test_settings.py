"""Settings that two stacks, or a stack and time, disagree about."""

from __future__ import annotations

import asyncio
from typing import Any

import nats

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project
from tests.support.nats_server import NatsServer
from tests.support.waiting import until

CHANGED = "SHARED was changed by somebody else since our last up"


def _want(project: Project, settings: dict[str, Any], **fields: Any) -> None:
    project.catalogue(SHARED={"subjects": ["shared"], "adopt": "always", **fields})
    file = f"{project.stack}.yaml"
    (project.folder / "streams.yaml").rename(project.folder / file)
    project.configure(**{**settings, "catalogue": file, "onDelete": "retain"})


def test_two_stacks_that_change_one_stream(external: Project, other: Project) -> None:
    """Whose setting was changed is told, once, in preview and in up, and again while it stays; never of one's own."""
    settings = external.settings
    _want(external, settings, max_age="7d")
    _want(other, settings, max_age="1d")
    external.up()
    other.up()
    told = f"{CHANGED} (max_age: 7d -> 1d)"
    assert 1 == external.preview().text.count(told)
    _want(external, settings, max_age="7d", num_replicas=3)
    refused = external.pulumi("up", "--yes", "--skip-preview", "--diff")  # its refresh is in the state nevertheless
    assert refused.code != 0
    assert 1 == refused.text.count(told)
    _want(external, settings, max_age="7d")
    assert 1 == external.up().text.count(told)

    _want(external, settings, max_age="3d")
    assert CHANGED not in external.up().text
    assert f"{CHANGED} (max_age: 1d -> 3d)" in other.preview().text


def test_messages_that_are_about_to_pass_a_new_age(external: Project, jetstream: JetStream) -> None:
    """Those that go while the run lasts are refused, those of the next hour are told."""
    settings = external.settings
    _want(external, settings)
    external.up()
    for _ in range(3):
        jetstream.connection.request("shared", b"payload")
    _want(external, settings, max_age="40s")
    refused = external.preview()
    assert refused.code != 0
    assert "SHARED: max_age unlimited -> 40s would delete 3 of 3 messages" in refused.text
    _want(external, settings, max_age="30m")
    planned = external.up().text
    assert "SHARED: max_age unlimited -> 30m: 3 of 3 messages will be past max_age within the hour" in planned
    assert 3 == jetstream.state("SHARED")["messages"]


def test_a_trim_that_takes_longer_than_a_request(external: Project, server: NatsServer, jetstream: JetStream) -> None:
    """The up waits while the server deletes, says so, and succeeds."""
    subjects, each = 8_000, 10
    external.configure(**external.settings, catalogue="streams.yaml")
    external.catalogue(HELD={"subjects": ["held.>"]})
    external.up()
    asyncio.run(_fill(server.url, subjects, subjects * each))
    until("every message is stored", lambda: jetstream.state("HELD")["messages"] == subjects * each, 60)
    external.catalogue(HELD={"subjects": ["held.>"], "max_msgs_per_subject": 1})
    text = external.up(STREAMS_ALLOW_LOSS="HELD", STREAMS_REQUEST_TIMEOUT="0.5").text
    assert "HELD: the server has accepted the change and is still deleting, with " in text
    assert subjects == jetstream.state("HELD")["messages"]
    assert external.unchanged()


async def _fill(url: str, subjects: int, messages: int) -> None:
    client = await nats.connect(url)
    for number in range(messages):
        await client.publish(f"held.{number % subjects}", b"payload")
        if number % 1_000 == 0:
            await client.flush()
    await client.close()
