"""A new consumer in the place of another, which goes on where that one was.

Its position is kept on the server meanwhile, by a consumer of its own that nobody reads from. So a run that is
killed between two of the steps is completed by the next; and a stream with retention interest keeps what it
would delete as soon as nobody waits for it.
"""

from __future__ import annotations

import time
from typing import Final

from provisioner.errors import Conflict
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.election import ELECTION_TIMEOUT_S
from provisioner.schema.consumer_fields import consumer_config
from provisioner.schema.consumer_model import (
    UNPOSITIONED,
    ConsumerConfig,
    ConsumerInfo,
    keeper_name,
    subject_filters,
)
from provisioner.schema.model import StreamConfig

REPLICAS_TIMEOUT_S: Final = ELECTION_TIMEOUT_S
_PAUSE_S: Final = 0.1
# In a keeper's metadata: when the consumer was created whose position it has.
_KEPT_FOR: Final = "prediction-streams.kept-for"


def carry_consumer(client: JetStream, stream: StreamConfig, old: ConsumerInfo, desired: ConsumerConfig) -> ConsumerInfo:
    """Replace a consumer by one of another configuration at the same position. Idempotent.

    A work queue needs no keeper: it has nothing but what is yet to be acknowledged.
    """
    if stream["retention"] == "workqueue":
        consumers.remove(client, old.stream, old.name)
        return consumers.make(client, old.stream, desired)
    _keep(client, old)
    remove_relieved(client, stream, old.name, keeper_name(old.name))
    return completed(client, stream, desired)


def remove_relieved(client: JetStream, stream: StreamConfig, name: str, successor: str) -> None:
    """Delete a consumer that another one takes over from.

    A node that has missed both, as it was down, deletes before it creates when it starts again (nats-server 2.15). If
    the stream's retention is interest, nobody is interested for that moment, and the node deletes its messages.

    Raises:
        Conflict: a node does not have the other one.
    """
    if stream["retention"] == "interest" and (problem := nodes_missing(client, stream, successor, REPLICAS_TIMEOUT_S)):
        raise Conflict(f"{stream['name']}/{min(name, successor, key=len)}: {problem}")
    consumers.remove(client, stream["name"], name)


def nodes_missing(client: JetStream, stream: StreamConfig, name: str, timeout: float) -> str | None:
    """Why a stream's consumer is not to be replaced: a node does not have this one, not even after a while."""
    deadline = time.monotonic() + timeout
    while missing := sorted(consumers.lagging(client, stream["name"], name)):
        if time.monotonic() > deadline:
            return (
                f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} down or behind, and the stream's "
                "retention is interest: a node that misses the replacement of a consumer would delete its messages "
                "when it starts again; run pulumi up once it is back"
            )
        time.sleep(_PAUSE_S)
    return None


def keeper_of(client: JetStream, stream: str, name: str) -> ConsumerInfo | None:
    """The consumer that a killed run has left to keep the position of this one."""
    return consumers.awaited(client, stream, keeper_name(name))


def kept_for(keeper: ConsumerInfo, live: ConsumerInfo) -> bool:
    """Whether a keeper has the position of this very consumer, which its run was killed before it deleted."""
    return keeper.config["metadata"].get(_KEPT_FOR) == live.created


def completed(client: JetStream, config: StreamConfig, desired: ConsumerConfig) -> ConsumerInfo:
    """Make the consumer whose position a keeper has, and let the keeper go, last of all."""
    stream, name = config["name"], desired["durable_name"]
    keeper = keeper_of(client, stream, name)
    made = consumers.make(client, stream, {**desired, "pause_until": UNPOSITIONED})
    if keeper:
        consumers.reset(client, stream, name, _position(client, stream, keeper, desired))
    consumers.pause(client, made, desired["pause_until"])
    remove_relieved(client, config, keeper_name(name), name)
    return consumers.consumer(client, stream, name) or made


def _keep(client: JetStream, old: ConsumerInfo) -> None:
    """Note the position; a keeper that is there already is that of a run that was killed before it deleted anything."""
    name, filters = keeper_name(old.name), subject_filters(old.config)
    consumers.remove(client, old.stream, name)
    kept = {"durable_name": name, "filter_subjects": filters, "metadata": {_KEPT_FOR: old.created}}
    consumers.make(client, old.stream, consumer_config(kept))
    first = client.state(old.stream)["first_seq"]
    consumers.reset(client, old.stream, name, max(old.acknowledged + 1, first))


def _position(client: JetStream, stream: str, keeper: ConsumerInfo, desired: ConsumerConfig) -> int:
    """Where the new one begins: no earlier than its own start, which the server does not go below."""
    first = client.state(stream)["first_seq"]
    return int(max(keeper.acknowledged + 1, desired["opt_start_seq"], first))
