"""The limits that a server's operator sets for every stream and consumer (``limits`` in its jetstream block).

What is left out of a configuration the server fills in with its limit, if its own default is above that. A plan that
did not say so would find the same difference again and again.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.rules.consumer_normalise import normalise_consumer
from provisioner.rules.normalise import normalise
from provisioner.rules.problem import Problem
from provisioner.schema.consumer_fields import CONSUMER_FIELD
from provisioner.schema.consumer_model import ConsumerConfig
from provisioner.schema.fields import BY_NAME
from provisioner.schema.model import ServerFacts, StreamConfig
from provisioner.schema.types import Field


def consumer_limit_problems(config: ConsumerConfig, stream: StreamConfig, facts: ServerFacts) -> Iterator[Problem]:
    """Values of a consumer that are above the server's limits (setConsumerConfigDefaults, checkConsumerCfg)."""
    pending = normalise_consumer(config, stream)["max_ack_pending"]
    yield from _above(CONSUMER_FIELD["max_ack_pending"], config["max_ack_pending"], pending, facts.max_ack_pending)
    if not config["deliver_subject"]:
        # None said is as many as the server allows.
        batch = config["max_batch"] or (facts.max_batch or 0) + 1
        yield from _above(CONSUMER_FIELD["max_batch"], config["max_batch"], batch, facts.max_batch)


def stream_limit_problems(config: StreamConfig, facts: ServerFacts) -> Iterator[Problem]:
    """The same of a stream (checkStreamCfg)."""
    window = normalise(config)["duplicate_window"]
    yield from _above(BY_NAME["duplicate_window"], config["duplicate_window"], window, facts.max_duplicate_window)


def _above(field: Field, said: int, value: int, limit: int | None) -> Iterator[Problem]:
    if limit is not None and 0 < limit < value:
        stated, most = field.type.show(said), field.type.show(limit)
        what = f"{stated} is above this server's limit of {most}" if said else f"is limited to {most} on this server"
        yield Problem((field.name,), f"{what}; write {field.name}: {most}")
