"""What an account may have; the integration tests compare it with real ones."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.rules.server_limits import surrounding_problems
from provisioner.schema.model import AccountLimits, ServerFacts
from tests.support.configurations import config

MIB = 1024**2
OTHERS = {"OTHER": config("OTHER", subjects=["other"], max_bytes="10MiB", num_replicas=3)}


@pytest.mark.parametrize(
    ("limits", "fields", "expected"),
    [
        (AccountLimits(streams=2), {}, []),
        (AccountLimits(streams=1), {}, ["name is one too many: this account may have 1 stream"]),
        (AccountLimits(consumers=5), {"max_consumers": 5}, []),
        (AccountLimits(consumers=5), {"max_consumers": 6}, ["max_consumers is more than the 5 of this account"]),
        (AccountLimits(storage=40 * MIB), {"max_bytes": "10MiB"}, []),
        (
            AccountLimits(storage=40 * MIB),
            {"max_bytes": "10MiB", "num_replicas": 3},
            ["max_bytes asks for 30.0 MiB; of the 40.0 MiB this account has for file streams 30.0 MiB are reserved"],
        ),
        (
            AccountLimits(storage=30 * MIB),
            {},
            ["max_bytes asks for 1 B; of the 30.0 MiB this account has for file streams 30.0 MiB are reserved"],
        ),
        (AccountLimits(storage=30 * MIB), {"storage": "memory", "max_bytes": "10MiB"}, []),
        (
            AccountLimits(stream_storage=MIB),
            {"max_bytes": "2MiB"},
            ["max_bytes is more than the 1MiB that a file stream of this account may have"],
        ),
        (AccountLimits(stream_memory=MIB), {"max_bytes": "2MiB"}, []),
    ],
)
def test_a_new_stream(limits: AccountLimits, fields: dict[str, Any], expected: list[str]) -> None:
    """Every copy counts, of this stream and of the others in the same store."""
    facts = ServerFacts(cluster="C", limits={"": limits}, others=OTHERS)
    assert expected == [str(problem) for problem in surrounding_problems(config(**fields), facts)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"num_replicas": 1}, []),
        ({"num_replicas": 3}, ["name is one too many: this account may have 1 stream"]),
        ({"num_replicas": 2}, ["num_replicas 2 is in none of this account's tiers: R1, R3"]),
        ({"num_replicas": 1, "max_bytes": "20MiB"}, []),
    ],
)
def test_tiers(fields: dict[str, Any], expected: list[str]) -> None:
    """A tier counts the streams of so many copies, each once."""
    limits = {"R1": AccountLimits(storage=20 * MIB), "R3": AccountLimits(streams=1)}
    facts = ServerFacts(cluster="C", limits=limits, others=OTHERS)
    assert expected == [str(problem) for problem in surrounding_problems(config(**fields), facts)]


def test_an_account_that_is_full_takes_changes() -> None:
    """Nothing more is asked for by an update that needs no more."""
    facts = ServerFacts(cluster="C", limits={"": AccountLimits(storage=30 * MIB, streams=1)}, others=OTHERS)
    assert [] == surrounding_problems(config(description="new"), facts, config())
