"""A server whose operator limits every stream and consumer: what it refuses or fills in is said before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from provisioner.errors import ApiError
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.plan.consumer_diff import plan_consumer
from provisioner.plan.diff import differences
from provisioner.rules.jetstream_limits import consumer_limit_problems
from provisioner.rules.server_limits import surrounding_problems
from provisioner.schema.model import ServerFacts
from tests.support.configurations import config
from tests.support.consumer_configurations import consumer
from tests.support.nats_server import running

LIMITS = 'max_file_store: 1GB, limits: { max_request_batch: 10, max_ack_pending: 50, duplicate_window: "1m" }'
STREAMS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({}, "duplicate_window is limited to 1m on this server; write duplicate_window: 1m"),
    "less": ({"duplicate_window": "30s"}, ""),
    "as much": ({"duplicate_window": "1m"}, ""),
    "more": (
        {"duplicate_window": "90s"},
        "duplicate_window 1m30s is above this server's limit of 1m; write duplicate_window: 1m",
    ),
    "by max_age": ({"max_age": "30s"}, ""),
}
WITHIN = {"max_batch": 10, "max_ack_pending": 50}
CONSUMERS: dict[str, tuple[dict[str, Any], str]] = {
    "none": (
        {},
        """max_ack_pending is limited to 50 on this server; write max_ack_pending: 50
max_batch is limited to 10 on this server; write max_batch: 10""",
    ),
    "within": (WITHIN, ""),
    "batch": (WITHIN | {"max_batch": 11}, "max_batch 11 is above this server's limit of 10; write max_batch: 10"),
    "pending": (
        WITHIN | {"max_ack_pending": 51},
        "max_ack_pending 51 is above this server's limit of 50; write max_ack_pending: 50",
    ),
    "unlimited": (WITHIN | {"max_ack_pending": "unlimited"}, ""),
    "push": ({"deliver_subject": "d", "max_ack_pending": 50}, ""),
}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[JetStream, ServerFacts]]:
    """The server, and what a plan knows of it."""
    folder = tmp_path_factory.mktemp("nats")
    with running(folder, jetstream=LIMITS) as server, closing(JetStream(server.url, Credentials())) as client:
        yield client, client.facts(server.monitor_url)


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream(limited: tuple[JetStream, ServerFacts], case: str) -> None:
    """Without a problem the server makes what is wanted; with one it refuses, or makes something else."""
    client, facts = limited
    fields, expected = STREAMS[case]
    wanted = config("S", **fields)
    assert expected == "\n".join(map(str, surrounding_problems(wanted, facts)))
    try:
        made = client.create(wanted)
    except ApiError:
        assert expected
        return
    client.delete("S")
    assert bool(expected) == bool(differences(made.config, wanted))


@pytest.mark.parametrize("case", CONSUMERS)
def test_a_consumer(limited: tuple[JetStream, ServerFacts], case: str) -> None:
    """The same of a consumer."""
    client, facts = limited
    fields, expected = CONSUMERS[case]
    stream = client.create(config("S", duplicate_window="1m")).config
    wanted = consumer("c", **fields)
    assert expected == "\n".join(map(str, consumer_limit_problems(wanted, stream, facts)))
    try:
        made = consumers.make(client, "S", wanted)
        assert bool(expected) == bool(plan_consumer(made.config, wanted, stream).changes)
    except ApiError:
        assert expected
    finally:
        client.delete("S")
