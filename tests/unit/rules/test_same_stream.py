"""Streams told apart by when they were created."""

from __future__ import annotations

import pytest

from provisioner.rules.same_stream import is_same, known_as
from provisioner.schema.model import StreamInfo
from tests.support.configurations import config

DONE, ASKED_FOR = "2026-11-27T08:00:41.503107634Z", "2026-11-27T08:00:41.406271398Z"


def stream(created: str, replicas: int = 3) -> StreamInfo:
    """A stream as a leader tells of it."""
    return StreamInfo(config(num_replicas=replicas), created)


@pytest.mark.parametrize(
    ("known", "told", "replicas", "same"),
    [
        (DONE, DONE, 1, True),
        (DONE, ASKED_FOR, 3, True),
        (DONE, ASKED_FOR, 1, False),
        (ASKED_FOR, DONE, 3, False),
        ("2026-11-27T09:00:41.406271398Z", ASKED_FOR, 3, True),
        ("2026-11-27T09:00:41.406271399Z", ASKED_FOR, 3, False),
        (None, DONE, 3, False),
    ],
)
def test_the_same(known: str | None, told: str, replicas: int, *, same: bool) -> None:
    """A replica may say an earlier moment than the one that took a restore in, and nobody a later one."""
    info = stream(told, replicas)
    assert same == is_same(known, info)
    assert (known if same else told) == known_as(known, info)
