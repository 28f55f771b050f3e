"""A new consumer in the place of another, which goes on where that one was.

Its position is kept on the server meanwhile, by a consumer of its own that nobody reads from. So a run that is
killed between two of the steps is completed by the next; and a stream with retention interest keeps what it
would delete as soon as nobody waits for it.
"""

from __future__ import annotations

from typing import Final

from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.schema.consumer_fields import consumer_config
from provisioner.schema.consumer_model import (
    UNPOSITIONED,
    ConsumerConfig,
    ConsumerInfo,
    keeper_name,
    subject_filters,
)
from provisioner.schema.model import StreamConfig

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
    consumers.remove(client, old.stream, old.name)
    return completed(client, old.stream, desired)


def keeper_of(client: JetStream, stream: str, name: str) -> ConsumerInfo | None:
    """The consumer that a killed run has left to keep the position of this one."""
    return consumers.awaited(client, stream, keeper_name(name))


def kept_for(keeper: ConsumerInfo, live: ConsumerInfo) -> bool:
    """Whether a keeper has the position of this very consumer, which its run was killed before it deleted."""
    return keeper.config["metadata"].get(_KEPT_FOR) == live.created


def completed(client: JetStream, stream: str, desired: ConsumerConfig) -> ConsumerInfo:
    """Make the consumer whose position a keeper has, and let the keeper go, last of all."""
    name = desired["durable_name"]
    keeper = keeper_of(client, stream, name)
    made = consumers.make(client, stream, {**desired, "pause_until": UNPOSITIONED})
    if keeper:
        consumers.reset(client, stream, name, _position(client, stream, keeper, desired))
    consumers.pause(client, made, desired["pause_until"])
    consumers.remove(client, stream, keeper_name(name))
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
