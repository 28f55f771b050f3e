"""Whether an account may have a stream: how many, how large, all copies counted.

Follows nats-server's checkLimits, jsClusteredStreamLimitsCheck and maxBytesLimits (server/jetstream.go,
server/jetstream_cluster.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from provisioner.rules.problem import Problem
from provisioner.schema.model import AccountLimits, ServerFacts, StreamConfig
from provisioner.text import approximate_size, counted
from provisioner.units import format_size

_STORES: Final = {"file": "storage", "memory": "memory"}


def account_problems(config: StreamConfig, facts: ServerFacts, replacing: StreamConfig | None) -> Iterator[Problem]:
    """Why the account may not have this stream.

    Args:
        config: the desired configuration.
        facts: the account's limits and its other streams.
        replacing: the configuration in place.
    """
    tier = _tier(config, facts)
    if tier not in facts.limits:
        what = f"{config['num_replicas']} is in none of this account's tiers: {', '.join(sorted(facts.limits))}"
        yield Problem(("num_replicas",), what)
        return
    limits, others = facts.limits[tier], _counted(config, facts, tier)
    grows = replacing is None or config["num_replicas"] > replacing["num_replicas"]
    if grows and limits.streams is not None and len(others) >= limits.streams:
        yield Problem(("name",), f"is one too many: this account may have {counted(limits.streams, 'stream')}")
    if limits.consumers is not None and config["max_consumers"] > limits.consumers:
        yield Problem(("max_consumers",), f"is more than the {limits.consumers} of this account")
    if facts.max_bytes_required and config["max_bytes"] <= 0:
        yield Problem(("max_bytes",), "must be set: this account requires it of every stream")
    yield from _size_problems(config, limits)
    # A stream without a limit counts as one byte when it is made.
    asked = _copies(config, tier) * max(config["max_bytes"], int(grows))
    yield from _total_problems(config, limits, _reserved(config, others, tier), asked)


def _tier(config: StreamConfig, facts: ServerFacts) -> str:
    return "" if "" in facts.limits else f"R{config['num_replicas']}"


def _counted(config: StreamConfig, facts: ServerFacts, tier: str) -> list[StreamConfig]:
    """The other streams that share the limits."""
    return [each for each in facts.others.values() if not tier or each["num_replicas"] == config["num_replicas"]]


def _size_problems(config: StreamConfig, limits: AccountLimits) -> Iterator[Problem]:
    largest = getattr(limits, f"stream_{_STORES[config['storage']]}")
    if largest is not None and config["max_bytes"] > largest:
        what = f"is more than the {format_size(largest)} that a {config['storage']} stream of this account may have"
        yield Problem(("max_bytes",), what, (("storage",),))


def _total_problems(config: StreamConfig, limits: AccountLimits, reserved: int, asked: int) -> Iterator[Problem]:
    total = getattr(limits, _STORES[config["storage"]])
    if total is not None and reserved + asked > total:
        what = (
            f"asks for {approximate_size(asked)}; of the {approximate_size(total)} this account has for "
            f"{config['storage']} streams {approximate_size(reserved)} are reserved"
        )
        yield Problem(("max_bytes",), what, (("num_replicas",), ("storage",)))


def _reserved(config: StreamConfig, others: Iterable[StreamConfig], tier: str) -> int:
    """What the account's other streams have reserved in the same store."""
    same_store = (other for other in others if other["storage"] == config["storage"])
    return sum(max(int(other["max_bytes"]), 0) * _copies(other, tier) for other in same_store)


def _copies(config: StreamConfig, tier: str) -> int:
    """A tier is for streams of so many copies, and counts each once."""
    return 1 if tier else int(config["num_replicas"] or 1)
